/* connection_config.h - the tables of the structures that configure a connection. */
#ifndef SKI_API_CONNECTION_CONFIG_H
#define SKI_API_CONNECTION_CONFIG_H

#include "json/type.h"
#include <scalekit/connection_config.h>

extern const struct ski_type ski_oidc_config_type;
extern const struct ski_type ski_saml_config_type;        /* in answers */
extern const struct ski_type ski_saml_config_params_type; /* in updates */
extern const struct ski_type ski_oauth_config_type;
extern const struct ski_type ski_passwordless_config_type;
extern const struct ski_type ski_static_config_type;
extern const struct ski_type ski_webauthn_config_type;
extern const struct ski_type ski_google_dwd_config_type;

#endif
