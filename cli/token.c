/* scalekit token - an account's credential, for a program that calls the provider itself.
 *
 * Standard output has the credential and nothing else, so that "$(scalekit token …)" is one; what
 * it is and how long it lives is said aside. */
#include "command.h"
#include "environment.h"
#include "exit.h"
#include "json.h"
#include "mask.h"
#include "output.h"
#include <stdlib.h>

struct fetch {
    struct environment *environment;
    scalekit_request *request; /* a reference keeps the account */
    const struct scalekit_connected_account *account;
};

static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user)
{
    struct fetch *fetch = user;

    fetch->request = scalekit_request_ref(request);
    fetch->account = account;
    environment_leave(fetch->environment);
}

/* --- what it is ------------------------------------------------------------------------------- */

/* What the kinds of authorization have in common; the rest is the record's. */
struct credential {
    const char *kind, *words; /* for programs, for people */
    const char *token;        /* NULL: more than one text, see record_details() */
    const char *const *scopes;
    size_t n_scopes;
    scalekit_time expires_at; /* 0: unknown */
};

static struct credential read_credential(const struct scalekit_connected_account *account)
{
    const struct scalekit_authorization_details *details = account->authorization_details;
    scalekit_time expires_at = account->token_expires_at;

    if (details && details->oauth_token)
        return (struct credential){"oauth_token",
                                   "an OAuth access token",
                                   details->oauth_token->access_token,
                                   details->oauth_token->scopes,
                                   details->oauth_token->n_scopes,
                                   expires_at};
    if (details && details->google_dwd)
        return (struct credential){"google_dwd",
                                   "a Google delegation token",
                                   details->google_dwd->access_token,
                                   details->google_dwd->scopes,
                                   details->google_dwd->n_scopes,
                                   details->google_dwd->token_expires_at};
    if (details && details->static_auth)
        return (struct credential){
            .kind = "static_auth", .words = "static credentials", .expires_at = expires_at};
    if (details && details->trusted_idp)
        return (struct credential){.kind = "trusted_idp",
                                   .words = "temporary credentials",
                                   .expires_at = details->trusted_idp->expiry};
    return (struct credential){0};
}

/* --- showing it ------------------------------------------------------------------------------- */

static void record_secret(struct record *record, const char *name, const char *secret, bool show)
{
    char masked[MASK_SIZE];

    if (secret)
        record_text(record, name, show ? secret : mask(masked, secret));
}

/* The texts of a credential that has several, as JSON on a line. */
static void print_details(FILE *out, const struct scalekit_authorization_details *details,
                          bool show)
{
    struct json_style style = {.mask = !show};
    struct record record;

    if (details->static_auth) {
        json_print(out, details->static_auth->details ? details->static_auth->details : "{}",
                   &style);
        return;
    }
    record = record_begin(out);
    record_secret(&record, "access_key_id", details->trusted_idp->access_key_id, show);
    record_secret(&record, "secret_access_key", details->trusted_idp->secret_access_key, show);
    record_secret(&record, "session_token", details->trusted_idp->session_token, show);
    record_end(&record);
}

/* The same as a string; yours, NULL when memory ran out. */
static char *format_details(const struct scalekit_authorization_details *details, bool show)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (!out)
        return NULL;
    print_details(out, details, show);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static void show_for_programs(const struct credential *credential, const char *details, bool show)
{
    struct record record = record_begin(stdout);

    record_text(&record, "kind", credential->kind);
    record_secret(&record, "access_token", credential->token, show);
    record_json(&record, "details", details);
    record_texts(&record, "scopes", credential->scopes, credential->n_scopes);
    record_moment(&record, "expires_at", credential->expires_at);
    record_end(&record);
}

static void show_for_people(const struct credential *credential, const char *details, bool show)
{
    char masked[MASK_SIZE], expiry[MOMENT_SIZE];

    if (details)
        output_json(details);
    else
        puts(show ? credential->token : mask(masked, credential->token));
    output_remark("This is %s%s%s.", credential->words,
                  credential->expires_at ? ", valid until " : "",
                  format_moment(expiry, credential->expires_at));
    for (size_t i = 0; i < credential->n_scopes; i++)
        output_remark("Scope: %s", credential->scopes[i]);
    if (!show)
        output_remark("--show-secrets shows all of it.");
}

static int show(const struct fetch *fetch)
{
    const struct options *options = fetch->environment->options;
    struct credential credential;
    char *details = NULL;

    if (!fetch->account)
        return output_error("fetch the token", scalekit_request_error(fetch->request));
    credential = read_credential(fetch->account);
    if (!credential.kind)
        return output_failure(EXIT_OTHER, "the account is %s and has no credentials",
                              fetch->account->status_text ? fetch->account->status_text
                                                          : "in an unknown state");
    if (!credential.token)
        details = format_details(fetch->account->authorization_details, options->show_secrets);
    if (!credential.token && !details)
        return output_error("fetch the token", NULL);
    if (options->json)
        show_for_programs(&credential, details, options->show_secrets);
    else
        show_for_people(&credential, details, options->show_secrets);
    free(details);
    return EXIT_DONE;
}

int run_token(struct environment *environment)
{
    const char *const *names = environment->options->names.items;
    struct fetch fetch = {.environment = environment};
    int status = environment_open(environment);

    if (status)
        return status;
    environment_provide(environment, names[0], names[1]);
    if (!environment_await(environment,
                           scalekit_get_connected_account(
                               environment->client,
                               SCALEKIT_PARAMS(scalekit_account_key, .connection_name = names[0],
                                               .identifier = names[1]),
                               on_account, &fetch)))
        return output_error("fetch the token", NULL);
    status = show(&fetch);
    scalekit_request_unref(fetch.request);
    return status;
}
