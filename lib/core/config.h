/* config.h - the configuration, with defaults filled in and every value checked. */
#ifndef SKI_CORE_CONFIG_H
#define SKI_CORE_CONFIG_H

#include <scalekit/client.h>

/* Copies `given` (whatever version of the structure it is) with defaults into `config`; strings stay
 * the caller's.  NULL when it is right, else what is wrong, for people; static text. */
const char *ski_config_read(struct scalekit_config *config, const struct scalekit_config *given);

#endif
