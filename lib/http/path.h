/* path.h - whether a path that the caller wrote stays below the route it was written for. */
#ifndef SKI_HTTP_PATH_H
#define SKI_HTTP_PATH_H

#define SKI_MAX_PATH 8192 /* bytes of a path, and of a query */

/* What is wrong with a path that is to stay below `prefix` ("/proxy/"), for people, in static text
 * ("path must …"); NULL when it is right.  It is the whole path as it goes out: it begins with the
 * prefix, is percent-encoded and has no query.
 *
 * Servers, and proxies before them, do not see one path alike: some decode it once before they
 * route, take '\' for '/', make one of several '/', cut ";parameters" off, and remove dot segments
 * in any order.  So what counts is the least depth that any of them may see, and nowhere along the
 * path may it climb above the prefix. */
const char *ski_path_problem(const char *prefix, const char *path);

/* The same of a query, what follows the '?', that the caller has encoded. */
const char *ski_query_problem(const char *query);

#endif
