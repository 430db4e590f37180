/* vectors.h - deliveries, and whether they are to be believed.
 *
 * The official SDKs were given each of them.  Where these agree, so must this library; where they do
 * not (the names with "probe"), a row has what is safe and still lets every real delivery in. */
#ifndef TEST_WEBHOOK_VECTORS_H
#define TEST_WEBHOOK_VECTORS_H

#include <scalekit/webhook.h>

#define VECTOR_NOW 1764657094

#define SECRET     "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
#define ID         "msg_2abcDEF0123456789"
#define NOW        "1764657094"
#define FITS       "v1,a6NKlOT0Z7uC9e4UNXo2gXshI3QZgzznBJA47atIU84="
#define BODY                                                                                       \
    "{\"spec_version\":\"1\",\"id\":\"evt_101652975398683158\","                                   \
    "\"type\":\"connected_account.status_updated\",\"object\":\"ConnectedAccount\","               \
    "\"occurred_at\":\"2025-12-02T06:31:34.895815554Z\","                                          \
    "\"environment_id\":\"env_88640229614813449\","                                                \
    "\"data\":{\"id\":\"ca_133400349586228019\",\"identifier\":\"john@acmecorp.com\","             \
    "\"connection_id\":\"conn_133400101014995480\",\"connection_name\":\"gmail\","                 \
    "\"provider\":\"GMAIL\",\"authorization_type\":\"OAUTH\",\"status\":\"EXPIRED\","              \
    "\"old_status\":\"ACTIVE\"}}"

struct vector {
    const char *name;
    bool interceptor;
    const char *secret;
    struct scalekit_entry headers[3];
    const char *body;
    enum scalekit_webhook_verdict verdict;
};

static const struct vector vectors[] = {
    {.name = "valid_basic",
     .secret = SECRET,
     .headers = {{"webhook-id", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_GOOD},
    {.name = "valid_after_other_version",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature", "v1a,bHkPLGCpKugp3MlCY5s90lPMBPLe4J78zQSNAtJf7M8= "
                                       "v2,bHkPLGCpKugp3MlCY5s90lPMBPLe4J78zQSNAtJf7M8= " FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_GOOD},
    {.name = "valid_empty_body",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature", "v1,LFUH4a5nL23ngmg23zmqRAlOitZogan3w/66SAaaGxM="}},
     .body = "",
     .verdict = SCALEKIT_WEBHOOK_GOOD},
    {.name = "valid_newest_allowed",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", "1764657394"},
                 {"webhook-signature", "v1,cxhf6HQNb4hDGVfasc/CgTP2juy4JHqeG9KPW9Imkw8="}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_GOOD},
    {.name = "valid_other_prefix",
     .secret = "anything_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY",
     .headers = {{"webhook-id", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_GOOD},
    {.name = "valid_interceptor",
     .interceptor = true,
     .secret = SECRET,
     .headers = {{"interceptor-id", ID},
                 {"interceptor-timestamp", NOW},
                 {"interceptor-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_GOOD},
    {.name = "invalid_wrong_secret",
     .secret = "whsec_+//++//++//++//++//++//++//++//+",
     .headers = {{"webhook-id", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_SIGNATURE},
    {.name = "invalid_missing_timestamp",
     .secret = SECRET,
     .headers = {{"webhook-id", ID}, {"webhook-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_MISSING_HEADER},
    {.name = "invalid_empty_signature_header",
     .secret = SECRET,
     .headers = {{"webhook-id", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", ""}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_MISSING_HEADER},
    {.name = "invalid_too_new",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", "1764657395"},
                 {"webhook-signature", "v1,NfQ90/YNCBtgqsFIO9oTTVYXlh/Ao7zakVE+jiplAJw="}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_FROM_THE_FUTURE},
    {.name = "invalid_secret_without_underscore",
     .secret = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY",
     .headers = {{"webhook-id", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_SECRET},
    {.name = "invalid_no_version",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature", "a6NKlOT0Z7uC9e4UNXo2gXshI3QZgzznBJA47atIU84="}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_SIGNATURE},
    {.name = "invalid_id_swapped",
     .secret = SECRET,
     .headers = {{"webhook-id", "msg_other"},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_SIGNATURE},
    {.name = "invalid_hex_signature",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature",
                  "v1,6ba34a94e4f467bb82f5ee14357a36817b21237419833ce7049038edab4853ce"}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_SIGNATURE},
    {.name = "invalid_secret_used_as_text",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature", "v1,M4Uz/v7elaPCnkNn3hEV9kKgXhuFTjxZvPq0N7ZL/xM="}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_SIGNATURE},
    {.name = "invalid_comma_separated_list",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature", "v1,bHkPLGCpKugp3MlCY5s90lPMBPLe4J78zQSNAtJf7M8=," FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_SIGNATURE},
    {.name = "probe_interceptor_with_webhook_headers",
     .interceptor = true,
     .secret = SECRET,
     .headers = {{"webhook-id", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_MISSING_HEADER},
    {.name = "probe_short_v1_before_valid",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature", "v1,AAAA " FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_GOOD},
    {.name = "probe_fractional_timestamp",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", "1764657094.7"},
                 {"webhook-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
    {.name = "probe_timestamp_spaces",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", " 1764657094 "},
                 {"webhook-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
    {.name = "probe_unpadded_signature",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature", "v1,a6NKlOT0Z7uC9e4UNXo2gXshI3QZgzznBJA47atIU84"}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_SIGNATURE},
    {.name = "probe_base64url_secret",
     .secret = "whsec_--------------------------------",
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature", "v1,y58RvPjHezix0pyBw4cxW/xS5ZL7uV46XJxiuf80+Kc="}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_SECRET},
    {.name = "probe_titlecase_header_names",
     .secret = SECRET,
     .headers = {{"Webhook-Id", ID}, {"Webhook-Timestamp", NOW}, {"Webhook-Signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_GOOD},
    {.name = "probe_double_space_separator",
     .secret = SECRET,
     .headers = {{"webhook-id", ID},
                 {"webhook-timestamp", NOW},
                 {"webhook-signature", "v1,bHkPLGCpKugp3MlCY5s90lPMBPLe4J78zQSNAtJf7M8=  " FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_GOOD},
    {.name = "probe_invalid_base64_secret",
     .secret = "whsec_%%%%",
     .headers = {{"webhook-id", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}},
     .body = BODY,
     .verdict = SCALEKIT_WEBHOOK_BAD_SECRET},
};

#endif
