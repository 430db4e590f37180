/* webhook_request.h - one request of an evhttp server, taken as a delivery and answered. */
#ifndef SKI_SERVE_WEBHOOK_REQUEST_H
#define SKI_SERVE_WEBHOOK_REQUEST_H

#include "base/mem.h"
#include <scalekit/webhook_server.h>

/* What becomes of it, as a status; `mem` is for its headers.  *taken is set when `take` was asked. */
int ski_webhook_request_take(struct evhttp_request *request, const struct ski_mem *mem,
                             scalekit_webhook_take_cb take, void *user, bool *taken);
/* An answer without a body. */
void ski_webhook_request_answer(struct evhttp_request *request, int status);
/* scalekit_webhook_deliver() to a scalekit_client. */
enum scalekit_webhook_verdict ski_webhook_request_deliver(
    const struct scalekit_webhook_delivery *delivery, void *client);

#endif
