/* What a read of the feed says: of which accounts, in which order, and how often. */
#include "stage.h"

#define OTHER(id, type, at, account) EVENT(id, type, AT(at), DATA(account, "PENDING_AUTH"))

static char long_id[20000]; /* an event that has one */

static const struct meaning {
    const char *name, *first, *second; /* events of two reads, newest first */
    const char *heard;
    bool looked; /* at ca_1, which somebody follows */
} meanings[] = {
    {"nothing", "", "", "", false},
    {"a status", STATUS("e1", "10:01:00", "ca_1", "EXPIRED"), "", "ca_1 EXPIRED, ", false},
    {"the same event again", STATUS("e1", "10:01:00", "ca_1", "EXPIRED"),
     STATUS("e1", "10:01:00", "ca_1", "EXPIRED"), "ca_1 EXPIRED, ", false},
    {"twice on a page",
     STATUS("e1", "10:01:00", "ca_1", "EXPIRED") "," STATUS("e1", "10:01:00", "ca_1", "EXPIRED"),
     "", "ca_1 EXPIRED, ", false},
    {"another event that says the same", STATUS("e1", "10:01:00", "ca_1", "EXPIRED"),
     STATUS("e2", "10:01:00", "ca_1", "EXPIRED"), "ca_1 EXPIRED, ca_1 EXPIRED, ", false},
    {"accounts in the order of time",
     STATUS("e3", "10:01:03", "ca_3", "ACTIVE") "," STATUS(
         "e2", "10:01:02", "ca_2", "EXPIRED") "," STATUS("e1", "10:01:01", "ca_4", "ACTIVE"),
     "", "ca_4 ACTIVE, ca_2 EXPIRED, ca_3 ACTIVE, ", false},
    {"whatever order they come in",
     STATUS("e2", "10:01:02", "ca_2", "EXPIRED") "," STATUS(
         "e1", "10:01:01", "ca_4", "ACTIVE") "," STATUS("e3", "10:01:03", "ca_3", "ACTIVE"),
     "", "ca_4 ACTIVE, ca_2 EXPIRED, ca_3 ACTIVE, ", false},
    {"the newest status of an account only",
     STATUS("e3", "10:01:03", "ca_1", "EXPIRED") "," STATUS(
         "e2", "10:01:02", "ca_1", "ACTIVE") "," STATUS("e1", "10:01:01", "ca_1", "PENDING"),
     "", "ca_1 EXPIRED, ", false},
    {"the newest by its time",
     STATUS("e2", "10:01:02", "ca_1", "ACTIVE") "," STATUS("e3", "10:01:03", "ca_1", "EXPIRED"), "",
     "ca_1 EXPIRED, ", false},
    {"the upper one of the same moment",
     STATUS("e2", "10:01:02", "ca_1", "ACTIVE") "," STATUS("e1", "10:01:02", "ca_1", "EXPIRED"), "",
     "ca_1 ACTIVE, ", false},
    {"created", OTHER("e1", "created", "10:01:00", "ca_1"), "", "", true},
    {"updated", OTHER("e1", "updated", "10:01:00", "ca_1"), "", "", true},
    {"deleted", OTHER("e1", "deleted", "10:01:00", "ca_1"), "", "", true},
    {"oauth_succeeded", OTHER("e1", "oauth_succeeded", "10:01:00", "ca_1"), "", "", true},
    {"token_refresh_failed", OTHER("e1", "token_refresh_failed", "10:01:00", "ca_1"), "", "", true},
    {"of somebody else", OTHER("e1", "updated", "10:01:00", "ca_2"), "", "", false},
    {"seen before", OTHER("e0", "updated", "09:58:00", "ca_1"), "", "", false},
    {"a type that was not asked for", OTHER("e1", "oauth_tokens_fetched", "10:01:00", "ca_1"), "",
     "", false},
    {"no type of ours", EVENT("e1", "", AT("10:01:00"), DATA("ca_1", "ACTIVE")), "", "", false},
    {"a status that is not known", STATUS("e1", "10:01:00", "ca_1", "NEW_ONE"), "", "", true},
    {"no status",
     EVENT("e1", "status_updated", AT("10:01:00"), "{\"id\":\"ca_1\",\"status\":null}"), "", "",
     true},
    {"no time",
     "{\"id\":\"e1\",\"type\":\"connected_account.status_updated\",\"data\":" DATA("ca_1",
                                                                                   "ACTIVE") "}",
     "", "", true},
    {"a time that is yet to come",
     EVENT("e1", "status_updated", "2099-01-01T00:00:00Z", DATA("ca_1", "ACTIVE")), "", "", true},
    {"no id",
     "{\"type\":\"connected_account.status_updated\",\"occurred_at\":\"" AT(
         "10:01:00") "\",\"data\":" DATA("ca_1", "ACTIVE") "}",
     "", "", false},
    {"no type",
     "{\"id\":\"e1\",\"occurred_at\":\"" AT("10:01:00") "\",\"data\":" DATA("ca_1", "ACTIVE") "}",
     "", "", false},
    {"no data",
     "{\"id\":\"e1\",\"type\":\"connected_account.updated\",\"occurred_at\":\"" AT(
         "10:01:00") "\"}",
     "", "", false},
    {"data of something else", EVENT("e1", "updated", AT("10:01:00"), "{\"id\":[]}"), "", "",
     false},
    {"nothing at all", "{}", "", "", false},
    {"one that cannot be read, among others",
     EVENT("e2", "status_updated", AT("10:01:00"), "{}") "," STATUS("e1", "10:00:59", "ca_1",
                                                                    "EXPIRED"),
     "", "ca_1 EXPIRED, ", false},
    {"a long id", long_id, long_id, "ca_2 ACTIVE, ", false},
    {"a look after a status, for what happened since",
     OTHER("e2", "deleted", "10:01:01", "ca_1") "," STATUS("e1", "10:01:00", "ca_1", "EXPIRED"), "",
     "ca_1 EXPIRED, ", true},
    {"and then the newest status only",
     OTHER("e3", "deleted", "10:01:02", "ca_1") "," STATUS(
         "e2", "10:01:01", "ca_1", "EXPIRED") "," STATUS("e1", "10:01:00", "ca_1", "ACTIVE"),
     "", "ca_1 EXPIRED, ", true},
    {"none for what happened before",
     STATUS("e2", "10:01:01", "ca_1", "EXPIRED") "," OTHER("e1", "updated", "10:01:00", "ca_1"), "",
     "ca_1 EXPIRED, ", false},
    {"a consent is two events",
     OTHER("e2", "oauth_succeeded", "10:01:00", "ca_1") "," STATUS("e1", "10:01:00", "ca_1",
                                                                   "ACTIVE"),
     "", "ca_1 ACTIVE, ", false},
    {"but not if it led to something else",
     OTHER("e2", "oauth_succeeded", "10:01:01", "ca_1") "," STATUS("e1", "10:01:00", "ca_1",
                                                                   "EXPIRED"),
     "", "ca_1 EXPIRED, ", true},
};

static void check_meaning(const struct meaning *row)
{
    static char first[24000], second[24000];
    struct stage s;
    unsigned looks;

    snprintf(first, sizeof first, "{\"events\":[%s]}", row->first);
    snprintf(second, sizeof second, "{\"events\":[%s]}", row->second);
    stage_open(&s);
    stage_always(&s, PAGE(OLD_EVENT));
    stage_begin(&s);
    stage_watch(&s);
    virtual_pass(&s.f, 25000);
    looks = service_count(s.f.service, DETAILS);
    stage_once(&s, first);
    stage_once(&s, second);
    stage_read(&s, 2);
    virtual_pass(&s.f, 2000);
    ROW_IS(row->name, text_is(s.heard, row->heard));
    ROW_IS(row->name, (service_count(s.f.service, DETAILS) > looks) == row->looked);
    ROW_IS(row->name, ski_feed_is_trusted(&s.engine->feed));
    stage_close(&s);
}

static void test_meaning(void)
{
    snprintf(long_id, sizeof long_id,
             "{\"id\":\"%018000d\",\"type\":\"connected_account."
             "status_updated\",\"occurred_at\":\"" AT("10:01:00") "\",\"data\":" DATA("ca_2",
                                                                                      "ACTIVE") "}",
             0);
    for (size_t i = 0; i < COUNT(meanings); i++)
        check_meaning(&meanings[i]);
}

/* An account's place is by what it is called, whatever the hash. */
static void test_many_accounts(void)
{
    static char page[40000];
    struct stage s;
    size_t length = (size_t)snprintf(page, sizeof page, "{\"events\":[");

    for (int i = 99; i >= 0; i--)
        length += (size_t)snprintf(page + length, sizeof page - length,
                                   "{\"id\":\"evt_%d\",\"type\":\"connected_account.status_updated"
                                   "\",\"occurred_at\":\"2026-08-21T10:00:%02dZ\",\"data\":{\"id\":"
                                   "\"ca_%d\",\"status\":\"%s\"}}%s",
                                   i, i / 2, i % 10, i < 90 ? "ACTIVE" : "EXPIRED", i ? "," : "");
    snprintf(page + length, sizeof page - length, "]}");
    stage_open(&s);
    stage_begin(&s);
    stage_once(&s, page);
    stage_read(&s, 1);
    CU_ASSERT_STRING_EQUAL(s.heard, "ca_0 EXPIRED, ca_1 EXPIRED, ca_2 EXPIRED, ca_3 EXPIRED, "
                                    "ca_4 EXPIRED, ca_5 EXPIRED, ca_6 EXPIRED, ca_7 EXPIRED, "
                                    "ca_8 EXPIRED, ca_9 EXPIRED, ");
    stage_close(&s);
}

/* Pages shift while more happens: what came on two of them is told once. */
static void test_shifting_pages(void)
{
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    stage_once(&s, PAGE_AND("2", STATUS("e3", "10:01:03", "ca_1",
                                        "EXPIRED") "," STATUS("e2", "10:01:02", "ca_2", "ACTIVE")));
    stage_once(&s, PAGE(STATUS("e2", "10:01:02", "ca_2", "ACTIVE") "," STATUS("e1", "10:01:01",
                                                                              "ca_1", "ACTIVE")));
    stage_read(&s, 2);
    CU_ASSERT_STRING_EQUAL(s.heard, "ca_2 ACTIVE, ca_1 EXPIRED, ");
    stage_close(&s);
}

SUITE(news, {"each event means what it can", test_meaning},
      {"many events of an account are one", test_many_accounts},
      {"pages may overlap", test_shifting_pages})
