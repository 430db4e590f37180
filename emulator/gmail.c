#include "gmail.h"
#include "check.h"
#include "routes.h"
#include "text.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- the mailbox ------------------------------------------------------------------------------- */

static const struct {
    const char *from, *subject, *snippet;
} topics[] = {
    {"Priya Raman <priya.raman@example.com>", "Q3 roadmap: comments by Friday",
     "I have added the migration and the pricing page. Could you"},
    {"GitHub <notifications@github.example>", "[libexample] Fix a leak in the parser (#412)",
     "Merged #412 into main. 3 files changed, 18"},
    {"Jonas Weber <jonas@weber.example>", "Lunch on Thursday?",
     "There is a new place around the corner that does very good dumplings."},
    {"Acme Billing <billing@acme.example>", "Invoice INV-2041 is ready",
     "Your invoice for this month is attached. The amount due is"},
    {"Lena Ortiz <lena.ortiz@example.com>", "Re: offer for the Lisbon office",
     "They agreed to the shorter lease. The only open point is"},
    {"Calendar <calendar@example.com>", "Invitation: design review, Tue 10:00",
     "You have been invited to the following event. When:"},
    {"Marketing Weekly <hello@weekly.example>", "Five ideas for better onboarding",
     "This week: what the first ten minutes decide, and why"},
    {"GitHub <notifications@github.example>", "Your build failed",
     "make check returned 2 on debian-12-arm64. The first failing test is"},
    {"Jonas Weber <jonas@weber.example>", "Photos from the weekend",
     "Here are the ones from the lake. The light was perfect on Sunday"},
    {"Acme Expenses <expenses@acme.example>", "Reminder: expense report",
     "Two receipts are still missing from your report. Please upload"},
    {"Lena Ortiz <lena.ortiz@example.com>", "Contract signed",
     "All parties have signed the document. A copy is attached for your"},
};

/* The same account has the same mails whenever it is asked. */
static uint64_t mail_number(const struct emu_account *account, size_t n)
{
    uint64_t number = account->seq * 1000 + n + 1;

    number ^= number << 25;
    return UINT64_C(0x18c0000000000000) | (number * UINT64_C(0x9e3779b97f4a7c15) >> 12);
}

void emu_mail(struct emu_mail *mail, const struct emu_account *account, size_t n)
{
    size_t topic = n % (sizeof topics / sizeof *topics);
    time_t date = (time_t)(account->updated_us / EMU_SECOND) - (time_t)(n * 47 * 60 + 180);
    struct tm utc;

    snprintf(mail->id, sizeof mail->id, "%016" PRIx64, mail_number(account, n));
    snprintf(mail->thread_id, sizeof mail->thread_id, "%s", mail->id);
    mail->from = topics[topic].from;
    mail->subject = topics[topic].subject;
    mail->snippet = topics[topic].snippet;
    mail->unread = n % 3 == 0;
    mail->date_ms = (int64_t)date * 1000;
    mail->date[0] = '\0';
    if (gmtime_r(&date, &utc))
        strftime(mail->date, sizeof mail->date, "%a, %d %b %Y %H:%M:%S +0000", &utc);
}

static bool word_matches(const struct emu_mail *mail, const char *word)
{
    const char *colon = strchr(word, ':');

    if (strncmp(word, "from:", 5) == 0)
        return emu_contains(mail->from, word + 5);
    if (strncmp(word, "subject:", 8) == 0)
        return emu_contains(mail->subject, word + 8);
    if (strcmp(word, "is:unread") == 0 || strcmp(word, "is:read") == 0)
        return mail->unread == (word[3] == 'u');
    if (colon)
        return true; /* an operator that means nothing here */
    return emu_contains(mail->from, word) || emu_contains(mail->subject, word) ||
           emu_contains(mail->snippet, word);
}

bool emu_mail_matches(const struct emu_mail *mail, const char *query)
{
    char word[128];

    for (query += strspn(query, " "); *query; query += strspn(query, " ")) {
        size_t length = strcspn(query, " ");

        snprintf(word, sizeof word, "%.*s", (int)length, query);
        if (!word_matches(mail, word))
            return false;
        query += length;
    }
    return true;
}

/* --- Gmail's API ------------------------------------------------------------------------------- */

static void fail(struct emu_request *request, int status, const char *name, const char *message)
{
    struct emu_json *json = &request->json;

    emu_json_open(json, NULL, '{');
    emu_json_open(json, "error", '{');
    emu_json_number(json, "code", status);
    emu_json_text(json, "message", message);
    emu_json_text(json, "status", name);
    emu_json_close(json, '}');
    emu_json_close(json, '}');
    emu_send(request, status);
}

/* Whose token was sent, by the proxy too; NULL when it was nobody's, which has been answered then. */
static const struct emu_account *find_owner(struct emu_request *request)
{
    const char *authorization = emu_get_header(request, "Authorization");
    const struct emu_account *account = NULL;

    if (request->account)
        return request->account;
    if (strncmp(authorization, "Bearer ", 7) == 0)
        account = emu_account_of_token(&request->emulator->store, authorization + 7);
    if (!account)
        fail(request, 401, "UNAUTHENTICATED",
             "Request had invalid authentication credentials. Expected an OAuth 2 access token.");
    return account;
}

void emu_route_gmail_list(struct emu_request *request)
{
    const struct emu_account *account = find_owner(request);
    const char *query = emu_form_get(&request->query, "q");
    const char *limit = emu_form_get(&request->query, "maxResults");
    long max = limit ? strtol(limit, NULL, 10) : EMU_MAILS;
    struct emu_json *json = &request->json;
    struct emu_mail mail;
    long n = 0;

    if (!account)
        return;
    emu_json_open(json, NULL, '{');
    emu_json_open(json, "messages", '[');
    for (size_t i = 0; i < EMU_MAILS && n < max; i++) {
        emu_mail(&mail, account, i);
        if (query && !emu_mail_matches(&mail, query))
            continue;
        emu_json_open(json, NULL, '{');
        emu_json_text(json, "id", mail.id);
        emu_json_text(json, "threadId", mail.thread_id);
        emu_json_close(json, '}');
        n++;
    }
    emu_json_close(json, ']');
    emu_json_number(json, "resultSizeEstimate", n);
    emu_json_close(json, '}');
    emu_send(request, 200);
}

static void put_header(struct emu_json *json, const char *name, const char *value)
{
    emu_json_open(json, NULL, '{');
    emu_json_text(json, "name", name);
    emu_json_text(json, "value", value);
    emu_json_close(json, '}');
}

static void answer_mail(struct emu_request *request, const struct emu_account *account,
                        const struct emu_mail *mail)
{
    struct emu_json *json = &request->json;
    char date[24];

    snprintf(date, sizeof date, "%" PRId64, mail->date_ms);
    emu_json_open(json, NULL, '{');
    emu_json_text(json, "id", mail->id);
    emu_json_text(json, "threadId", mail->thread_id);
    emu_json_raw(json, "labelIds", mail->unread ? "[\"INBOX\",\"UNREAD\"]" : "[\"INBOX\"]");
    emu_json_text(json, "snippet", mail->snippet);
    emu_json_text(json, "internalDate", date);
    emu_json_open(json, "payload", '{');
    emu_json_text(json, "mimeType", "text/plain");
    emu_json_open(json, "headers", '[');
    put_header(json, "From", mail->from);
    put_header(json, "To", account->person->identifier);
    put_header(json, "Subject", mail->subject);
    put_header(json, "Date", mail->date);
    emu_json_close(json, ']');
    emu_json_close(json, '}');
    emu_json_close(json, '}');
    emu_send(request, 200);
}

void emu_route_gmail_get(struct emu_request *request)
{
    const struct emu_account *account = find_owner(request);
    struct emu_mail mail;

    if (!account)
        return;
    for (size_t i = 0; i < EMU_MAILS; i++) {
        emu_mail(&mail, account, i);
        if (strcmp(mail.id, request->rest) == 0) {
            answer_mail(request, account, &mail);
            return;
        }
    }
    fail(request, 404, "NOT_FOUND", "Requested entity was not found.");
}
