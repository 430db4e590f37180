# table.awk - medians, the table, and ratios of medians.  Reads three files of bench/run:
#
#   rows     client protocol in-flight                       in the order to print
#   facts    client protocol in-flight rps cpu_us rss_mb     of each run
#   counts   client protocol in-flight WHAT per-request      instructions, syscalls

function median(key, what,    count, i, j, value, sorted) {
    count = runs[key]
    for (i = 1; i <= count; i++) {
        value = fact[key, what, i]
        for (j = i; j > 1 && sorted[j - 1] > value; j--)
            sorted[j] = sorted[j - 1]
        sorted[j] = value
    }
    return count % 2 ? sorted[(count + 1) / 2] : (sorted[count / 2] + sorted[count / 2 + 1]) / 2
}

# How far the runs are apart, in percent of the median.
function spread(key, what,    i, low, high, value) {
    low = high = fact[key, what, 1]
    for (i = 2; i <= runs[key]; i++) {
        value = fact[key, what, i]
        if (value < low) low = value
        if (value > high) high = value
    }
    return (high - low) / median(key, what) * 100
}

function counted(key, what) {
    if (!((key, what) in counts))
        return "-"
    return sprintf(what == "syscalls" ? "%.2f" : "%.0f", counts[key, what])
}

function print_row(key,    part) {
    split(key, part, " ")
    printf "%-12s %-9s %9d %11.0f %11.0f %9.2f %7.0f%%", part[1], part[2], part[3],
        rps[key], 1e6 / cpu[key], cpu[key], spread(key, "cpu")
    if (callgrind) printf " %13s", counted(key, "instructions")
    if (syscalls) printf " %9s", counted(key, "syscalls")
    printf " %8.1f\n", rss[key]
}

function print_row_json(key,    part) {
    split(key, part, " ")
    printf "{\"client\":\"%s\",\"protocol\":\"%s\",\"in_flight\":%d,\"n\":%d,\"rounds\":%d,", part[1],
        part[2], part[3], n, rounds
    printf "\"rps\":%.0f,\"requests_per_cpu_s\":%.0f,\"cpu_us_per_request\":%.3f,\"rss_mb\":%.2f,", rps[key],
        1e6 / cpu[key], cpu[key], rss[key]
    if ((key, "instructions") in counts)
        printf "\"instructions_per_request\":%.0f,", counts[key, "instructions"]
    if ((key, "syscalls") in counts)
        printf "\"syscalls_per_request\":%.2f,", counts[key, "syscalls"]
    printf "\"cpu_spread_percent\":%.1f}\n", spread(key, "cpu")
}

# Notes a ratio, when both rows were measured.
function ratio(name, sentence, top, bottom) {
    if (bottom > 0 && top > 0) {
        ratios++
        ratio_name[ratios] = name
        ratio_text[ratios] = sentence
        ratio_value[ratios] = top / bottom
    }
}

function find_ratios(    i, part, ours, curl, load, name, words) {
    for (i = 1; i <= rows; i++) {
        split(row[i], part, " ")
        if (part[1] != "libscalekit")
            continue
        ours = row[i]
        curl = "libcurl " part[2] " " part[3]
        load = "h2load " part[2] " " part[3]
        name = (part[2] == "h2" ? "h2_" : "h1_") part[3]
        words = part[2] ", " part[3] " in flight"
        ratio("cpu_vs_libcurl_" name, "CPU per request, ours / libcurl       " words, cpu[ours], cpu[curl])
        ratio("rps_per_cpu_vs_h2load_" name, "requests per CPU s, ours / h2load     " words, cpu[load], cpu[ours])
        ratio("rss_vs_libcurl_" name, "peak RSS, ours / libcurl              " words, rss[ours], rss[curl])
    }
}

{ key = $1 " " $2 " " $3 }
FILENAME ~ /rows$/ { row[++rows] = key }
FILENAME ~ /facts$/ {
    i = ++runs[key]
    fact[key, "rps", i] = $4 + 0
    fact[key, "cpu", i] = $5 + 0
    fact[key, "rss", i] = $6 + 0
}
FILENAME ~ /counts$/ { counts[key, $4] = $5 }

END {
    for (i = 1; i <= rows; i++) {
        rps[row[i]] = median(row[i], "rps")
        cpu[row[i]] = median(row[i], "cpu")
        rss[row[i]] = median(row[i], "rss")
    }
    find_ratios()
    if (json) {
        for (i = 1; i <= rows; i++)
            print_row_json(row[i])
        printf "{\"ratios\":{"
        for (i = 1; i <= ratios; i++)
            printf "%s\"%s\":%.3f", (i > 1 ? "," : ""), ratio_name[i], ratio_value[i]
        print "}}"
        exit
    }
    printf "medians of %d rounds, %d requests each\n\n", rounds, n
    printf "%-12s %-9s %9s %11s %11s %9s %8s", "client", "protocol", "in flight", "req/s", "req/CPU s",
        "us CPU/req", "spread"
    if (callgrind) printf " %13s", "instr/req"
    if (syscalls) printf " %9s", "calls/req"
    printf " %8s\n", "RSS MB"
    for (i = 1; i <= rows; i++)
        print_row(row[i])
    print ""
    for (i = 1; i <= ratios; i++)
        printf "%s  %5.2f\n", ratio_text[i], ratio_value[i]
}
