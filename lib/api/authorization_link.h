/* authorization_link.h - what other files of the library need of the resource. */
#ifndef SKI_API_AUTHORIZATION_LINK_H
#define SKI_API_AUTHORIZATION_LINK_H

/* What is wrong with a user_verify_url, for people; NULL when it is right. */
const char *ski_check_user_verify_url(const char *value);

#endif
