/* watch_stats.h - the report on an engine: what the engine must know of it. */
#ifndef SKI_WATCH_WATCH_STATS_H
#define SKI_WATCH_WATCH_STATS_H

#include "watch/engine.h"

/* Tells no more.  From the engine's close, before anything it needs is gone; may be called twice. */
void ski_watch_report_free(struct ski_engine *engine);

#endif
