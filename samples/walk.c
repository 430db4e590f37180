#include "walk.h"
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#define MAX_SECONDS 20

enum action {
    OPEN,    /* a page of the application */
    FOLLOW,  /* the redirect that came last */
    APPROVE, /* the button of the page that is shown */
    RETURN   /* follow the redirect of the last consent, perhaps not for the first time */
};

static const struct step {
    int browser;
    enum action action;
    const char *path;
    int status;
    const char *expected; /* in the page, or in the redirect */
    const char *text;
} steps[] = {
    {0, OPEN, "/connect?user=ann", 302, "/magicLink/",
     "Ann begins to connect, and is sent to a link"},
    {0, FOLLOW, NULL, 200, "Approve", "the link asks for her consent"},
    {0, APPROVE, NULL, 302, "/user/verify?", "she consents, and is sent back"},
    {0, OPEN, "/sign-in?user=bob", 302, "/", "meanwhile Bob signs in, in the same browser"},
    {0, RETURN, NULL, 403, "made for another user", "so another user comes back, and is refused"},
    {0, OPEN, "/sign-in?user=ann", 302, "/", "Ann signs in again"},
    {0, RETURN, NULL, 403, "not begun in this browser", "her state was good for once"},
    {0, OPEN, "/connect?user=ann", 302, "/magicLink/", "she begins anew"},
    {0, FOLLOW, NULL, 200, "Approve", "the new link asks"},
    {0, APPROVE, NULL, 302, "/user/verify?", "she consents"},
    {1, OPEN, "/sign-in?user=ann", 302, "/", "she also signs in with another browser"},
    {1, RETURN, NULL, 403, "not begun in this browser", "which did not begin this"},
    {1, OPEN, "/", 200, "PENDING", "she is not connected yet"},
    {0, RETURN, NULL, 302, "/connect/success", "the first browser comes back, and is sent on"},
    {0, FOLLOW, NULL, 200, "connected", "Scalekit's own page ends it"},
    {0, RETURN, NULL, 403, "not begun in this browser", "nothing comes of coming back once more"},
    {0, OPEN, "/", 200, "ACTIVE", "she is connected"},
};

#define N_STEPS (sizeof steps / sizeof *steps)

static void finish(struct walk *walk, bool good)
{
    walk->done(good, walk->user);
}

/* --- cookies ------------------------------------------------------------------------------------ */

/* "NAME=VALUE; attributes": kept, or forgotten when it has no value. */
static void keep_cookie(struct walk_cookie jar[WALK_COOKIES], const char *header)
{
    struct walk_cookie cookie = {{0}, {0}};
    size_t i = 0;

    if (sscanf(header, "%63[^=]=%63[^;]", cookie.name, cookie.value) < 1)
        return;
    while (i < WALK_COOKIES && jar[i].name[0] && strcmp(jar[i].name, cookie.name) != 0)
        i++;
    if (i < WALK_COOKIES)
        jar[i] = cookie;
}

static void keep_cookies(struct walk *walk, const struct evkeyvalq *headers)
{
    const struct evkeyval *header;

    TAILQ_FOREACH(header, headers, next)
    if (strcasecmp(header->key, "Set-Cookie") == 0)
        keep_cookie(walk->jars[steps[walk->step].browser], header->value);
}

static void add_cookies(const struct walk *walk, struct evkeyvalq *headers)
{
    const struct walk_cookie *jar = walk->jars[steps[walk->step].browser];
    char line[WALK_COOKIES * sizeof *jar] = "";

    for (size_t i = 0; i < WALK_COOKIES; i++)
        if (jar[i].value[0])
            snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s=%s",
                     line[0] ? "; " : "", jar[i].name, jar[i].value);
    if (line[0])
        evhttp_add_header(headers, "Cookie", line);
}

/* --- one request -------------------------------------------------------------------------------- */

static void on_answer(struct evhttp_request *answer, void *user)
{
    struct walk *walk = user;
    const char *location;
    ev_ssize_t length;

    event_add(walk->next, &(struct timeval){0, 0});
    walk->status = answer ? evhttp_request_get_response_code(answer) : 0;
    walk->page[0] = walk->location[0] = '\0';
    if (walk->status == 0)
        return;
    keep_cookies(walk, evhttp_request_get_input_headers(answer));
    length = evbuffer_copyout(evhttp_request_get_input_buffer(answer), walk->page,
                              sizeof walk->page - 1);
    walk->page[length > 0 ? length : 0] = '\0';
    location = evhttp_find_header(evhttp_request_get_input_headers(answer), "Location");
    if (location && location[0] == '/')
        snprintf(walk->location, sizeof walk->location, "%s%s", walk->app_url, location);
    else if (location)
        snprintf(walk->location, sizeof walk->location, "%s", location);
}

static bool send_request(struct walk *walk, const struct evhttp_uri *uri, const char *form)
{
    const char *host = evhttp_uri_get_host(uri), *query = evhttp_uri_get_query(uri);
    struct evhttp_request *request = evhttp_request_new(on_answer, walk);
    struct evkeyvalq *headers = request ? evhttp_request_get_output_headers(request) : NULL;
    char target[WALK_TEXT];

    walk->connection = evhttp_connection_base_new(walk->base, NULL, host ? host : "",
                                                  (ev_uint16_t)evhttp_uri_get_port(uri));
    if (!walk->connection || !request) {
        if (request)
            evhttp_request_free(request);
        return false;
    }
    evhttp_connection_set_timeout(walk->connection, MAX_SECONDS);
    evhttp_add_header(headers, "Host", host);
    add_cookies(walk, headers);
    if (form)
        evbuffer_add(evhttp_request_get_output_buffer(request), form, strlen(form));
    snprintf(target, sizeof target, "%s%s%s", evhttp_uri_get_path(uri), query ? "?" : "",
             query ? query : "");
    return evhttp_make_request(walk->connection, request, form ? EVHTTP_REQ_POST : EVHTTP_REQ_GET,
                               target) == 0;
}

/* `form` NULL: GET. */
static void browse(struct walk *walk, const char *url, const char *form)
{
    struct evhttp_uri *uri = evhttp_uri_parse(url);
    bool sent = uri && send_request(walk, uri, form);

    if (uri)
        evhttp_uri_free(uri);
    if (url != walk->url)
        snprintf(walk->url, sizeof walk->url, "%s", url);
    if (!sent)
        finish(walk, false);
}

/* --- the steps ---------------------------------------------------------------------------------- */

static void approve(struct walk *walk)
{
    static const char field[] = "name=\"form_token\" value=\"";
    const char *found = strstr(walk->page, field);
    char form[128];

    snprintf(form, sizeof form, "form_token=%.32s&action=approve",
             found ? found + sizeof field - 1 : "");
    browse(walk, walk->url, form);
}

static void take_step(struct walk *walk)
{
    const struct step *step = &steps[walk->step];
    char url[WALK_TEXT];

    switch (step->action) {
    case OPEN:
        snprintf(url, sizeof url, "%s%s", walk->app_url, step->path);
        browse(walk, url, NULL);
        break;
    case FOLLOW:
        snprintf(url, sizeof url, "%s", walk->location);
        browse(walk, url, NULL);
        break;
    case APPROVE:
        approve(walk);
        break;
    case RETURN:
        browse(walk, walk->redirect, NULL);
        break;
    }
}

static void on_next(evutil_socket_t fd, short what, void *user)
{
    struct walk *walk = user;
    const struct step *step = &steps[walk->step];
    const char *shown = walk->status == 302 ? walk->location : walk->page;

    (void)fd;
    (void)what;
    evhttp_connection_free(walk->connection);
    walk->connection = NULL;
    printf("%d  %s\n", walk->status, step->text);
    if (walk->status != step->status || !strstr(shown, step->expected)) {
        complain("expected %d with \"%s\", not %d with:\n%s", step->status, step->expected,
                 walk->status, shown);
        finish(walk, false);
        return;
    }
    if (step->action == APPROVE)
        snprintf(walk->redirect, sizeof walk->redirect, "%s", walk->location);
    if (++walk->step < N_STEPS)
        take_step(walk);
    else
        finish(walk, true);
}

bool walk_open(struct walk *walk, struct event_base *base, const char *app_url, walk_done_cb done,
               void *user)
{
    *walk = (struct walk){.base = base, .app_url = app_url, .done = done, .user = user};
    walk->next = evtimer_new(base, on_next, walk);
    if (!walk->next)
        return false;
    take_step(walk);
    return true;
}

void walk_close(struct walk *walk)
{
    if (walk->connection)
        evhttp_connection_free(walk->connection);
    if (walk->next)
        event_free(walk->next);
    *walk = (struct walk){.base = NULL};
}
