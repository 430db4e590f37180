#include "watch/look.h"

static void on_details(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user)
{
    struct ski_target *target = user;
    struct ski_observation observation = {account, scalekit_request_error(request), request};

    target->look = NULL;
    ski_engine_observe(target, &observation);
}

scalekit_request *ski_look_start(struct ski_target *target)
{
    struct ski_account_name name;
    scalekit_request *request;

    ski_target_name(target, &name);
    request = scalekit_get_connected_account_details(
        target->engine->client,
        SCALEKIT_PARAMS(scalekit_account_key, .connected_account_id = name.id,
                        .connection_name = name.connection_name, .identifier = name.identifier,
                        .organization_id = name.organization_id, .user_id = name.user_id),
        on_details, target);
    if (!request)
        return NULL;
    scalekit_request_set_max_retries(request, 0); /* the engine has its own way of trying again */
    ski_request_set_class(request, SCALEKIT_CLASS_WATCH);
    return request;
}
