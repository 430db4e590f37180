/* bench_webhook - what verifying a delivery costs, beside OpenSSL's own HMAC of the same bytes.
 * README.md says how it is measured. */
#include <getopt.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <scalekit/webhook.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXIT_USAGE 2
#define ROUNDS     201
#define BATCH      500
#define SIZE       600 /* bytes of a body */
#define NOW        1764657094
#define ID         "msg_2abcDEF0123456789"

static const char *const secret = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY";

/* A delivery, and the same bytes as they are signed. */
struct work {
    char body[SIZE + 1];
    char text[SIZE + 64];
    size_t text_length;
    unsigned char key[24];
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
    EVP_MAC *mac;
    EVP_MAC_CTX *prepared; /* has the key */
};

/* Does it once; false: it did not work. */
struct contender {
    const char *name, *words;
    bool (*run)(const struct work *work);
    double us[ROUNDS], median;
};

/* --- what is measured --------------------------------------------------------------------------- */

static const struct scalekit_webhook_rules rules = {
    .struct_size = sizeof rules, .secrets = &secret, .n_secrets = 1, .now = NOW};

#define DELIVERY(work)                                                                             \
    SCALEKIT_PARAMS(                                                                               \
        scalekit_webhook_delivery, .n_headers = 5, .body = (work)->body, .body_length = SIZE,      \
        .headers = (const struct scalekit_entry[]){{"Host", "acme.example"},                       \
                                                   {"Content-Type", "application/json"},           \
                                                   {"Webhook-Id", ID},                             \
                                                   {"Webhook-Timestamp", "1764657094"},            \
                                                   {"Webhook-Signature", (work)->signature}})

static bool run_verify(const struct work *work)
{
    return scalekit_webhook_verify(&rules, DELIVERY(work)) == SCALEKIT_WEBHOOK_GOOD;
}

static bool run_open(const struct work *work)
{
    const struct scalekit_webhook_event *event;
    bool good = scalekit_webhook_open(&rules, DELIVERY(work), &event) == SCALEKIT_WEBHOOK_GOOD;

    scalekit_webhook_event_free(event);
    return good;
}

static bool run_hmac(const struct work *work)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    return HMAC(EVP_sha256(), work->key, sizeof work->key, (const unsigned char *)work->text,
                work->text_length, digest, NULL);
}

static bool run_prepared(const struct work *work)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t length;

    return EVP_MAC_init(work->prepared, NULL, 0, NULL) &&
           EVP_MAC_update(work->prepared, (const unsigned char *)work->text, work->text_length) &&
           EVP_MAC_final(work->prepared, digest, &length, sizeof digest);
}

enum { VERIFY, OPEN, BARE, PREPARED, N_CONTENDERS };

static struct contender contenders[N_CONTENDERS] = {
    [VERIFY] = {"verify", "scalekit_webhook_verify()", run_verify, {0}, 0},
    [OPEN] = {"open", "scalekit_webhook_open(), and free", run_open, {0}, 0},
    [BARE] = {"hmac", "OpenSSL's HMAC()", run_hmac, {0}, 0},
    [PREPARED] = {"evp_mac", "OpenSSL's EVP_MAC, key prepared", run_prepared, {0}, 0},
};

/* --- measuring ---------------------------------------------------------------------------------- */

static bool prepare(struct work *work)
{
    static const char begin[] = "{\"spec_version\":\"1\",\"id\":\"evt_1\",\"object\":"
                                "\"ConnectedAccount\",\"occurred_at\":\"2025-12-02T06:31:34Z\","
                                "\"type\":\"connected_account.status_updated\",\"data\":{\"id\":"
                                "\"ca_133400349586228019\",\"connection_name\":\"gmail\","
                                "\"status\":\"EXPIRED\",\"old_status\":\"ACTIVE\","
                                "\"identifier\":\"",
                      end[] = "\"}}";
    OSSL_PARAM digest[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
                           OSSL_PARAM_construct_end()};

    memset(work->body, 'u', SIZE);
    memcpy(work->body, begin, sizeof begin - 1);
    memcpy(work->body + SIZE - (sizeof end - 1), end, sizeof end);
    work->text_length =
        (size_t)snprintf(work->text, sizeof work->text, "%s.%d.%s", ID, NOW, work->body);
    for (size_t i = 0; i < sizeof work->key; i++)
        work->key[i] = (unsigned char)(i + 1);
    work->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    work->prepared = EVP_MAC_CTX_new(work->mac);
    return work->prepared && EVP_MAC_init(work->prepared, work->key, sizeof work->key, digest) &&
           scalekit_webhook_sign(work->signature, secret, ID, NOW, work->body, SIZE) ==
               SCALEKIT_WEBHOOK_GOOD;
}

static double cpu_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static bool run_batch(const struct contender *contender, const struct work *work, double *us)
{
    double began = cpu_us();

    for (int i = 0; i < BATCH; i++)
        if (!contender->run(work))
            return false;
    *us = (cpu_us() - began) / BATCH;
    return true;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* Rounds of a batch of each, so that what else the machine does meets all of them. */
static bool measure(const struct work *work)
{
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < N_CONTENDERS; i++)
            if (!run_batch(&contenders[i], work, &contenders[i].us[round]))
                return false;
    for (int i = 0; i < N_CONTENDERS; i++) {
        qsort(contenders[i].us, ROUNDS, sizeof(double), compare);
        contenders[i].median = contenders[i].us[ROUNDS / 2];
    }
    return true;
}

/* --- telling ------------------------------------------------------------------------------------ */

static void print_json(size_t text_length)
{
    printf("{\"body_bytes\":%d,\"signed_bytes\":%zu", SIZE, text_length);
    for (int i = 0; i < N_CONTENDERS; i++)
        printf(",\"%s_us\":%.3f", contenders[i].name, contenders[i].median);
    printf(",\"verify_to_hmac\":%.2f,\"verify_to_evp_mac\":%.2f}\n",
           contenders[VERIFY].median / contenders[BARE].median,
           contenders[VERIFY].median / contenders[PREPARED].median);
}

static void print_table(void)
{
    printf("A delivery of %d bytes: medians of %d rounds of %d\n\n", SIZE, ROUNDS, BATCH);
    for (int i = 0; i < N_CONTENDERS; i++)
        printf("  %-36s %6.3f us of CPU\n", contenders[i].words, contenders[i].median);
    printf("\nscalekit_webhook_verify() takes %.2f of HMAC(), %.2f of EVP_MAC.\n",
           contenders[VERIFY].median / contenders[BARE].median,
           contenders[VERIFY].median / contenders[PREPARED].median);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    static struct work work;
    bool json = false;
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option != 'j') {
            fputs("Usage: bench_webhook [--json]\n", option == 'h' ? stdout : stderr);
            return option == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
        }
        json = true;
    }
    if (!prepare(&work) || !measure(&work)) {
        fputs("bench_webhook: a delivery was refused\n", stderr);
        return EXIT_FAILURE;
    }
    if (json)
        print_json(work.text_length);
    else
        print_table();
    EVP_MAC_CTX_free(work.prepared);
    EVP_MAC_free(work.mac);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
