/* mcp_token.h - session tokens: JWTs that say who may use which MCP server. */
#ifndef EMU_MCP_TOKEN_H
#define EMU_MCP_TOKEN_H

#include "server.h"

/* Answers with a token of a user, all of whose accounts are there, and its end. */
void emu_mcp_answer_token(struct emu_request *request, const struct emu_mcp_config *config,
                          const char *identifier, int64_t life_s);

#endif
