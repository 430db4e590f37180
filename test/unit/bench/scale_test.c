#include "bench/scale.h"
#include "harness.h"

static void every_watch_ends_as_it_should(void)
{
    for (unsigned watches = 1; watches <= 1500; watches += 1499) {
        struct bench_scale_result result;

        bench_scale_run(watches, 1, &result);
        CU_ASSERT_PTR_NULL(result.fault);
        CU_ASSERT(result.name_bytes >= sizeof "user_0");
        CU_ASSERT(result.bytes_per_watch > result.name_bytes);
    }
}

SUITE(bench_scale, {"every watch ends as it should", every_watch_ends_as_it_should})
