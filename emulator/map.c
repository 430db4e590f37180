#include "map.h"
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64

static uint64_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash ^ (hash >> 32);
}

static struct emu_node **bucket_of(const struct emu_map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->n_buckets - 1)];
}

struct emu_node *emu_map_find(const struct emu_map *map, const char *key)
{
    uint64_t hash = hash_text(key);

    if (!map->n)
        return NULL;
    for (struct emu_node *node = *bucket_of(map, hash); node; node = node->next)
        if (node->hash == hash && strcmp(node->key, key) == 0)
            return node;
    return NULL;
}

static bool grow(struct emu_map *map)
{
    struct emu_map larger = {.n_buckets = map->n_buckets ? map->n_buckets * 2 : FIRST_SIZE,
                             .n = map->n};

    larger.buckets = calloc(larger.n_buckets, sizeof *larger.buckets);
    if (!larger.buckets)
        return false;
    for (size_t i = 0; i < map->n_buckets; i++) {
        struct emu_node *node = map->buckets[i], *next;

        for (; node; node = next) {
            struct emu_node **bucket = bucket_of(&larger, node->hash);

            next = node->next;
            node->next = *bucket;
            *bucket = node;
        }
    }
    free(map->buckets);
    *map = larger;
    return true;
}

bool emu_map_add(struct emu_map *map, struct emu_node *node, const char *key)
{
    struct emu_node **bucket;

    if (map->n == map->n_buckets && !grow(map))
        return false;
    node->key = key;
    node->hash = hash_text(key);
    bucket = bucket_of(map, node->hash);
    node->next = *bucket;
    *bucket = node;
    map->n++;
    return true;
}

void emu_map_remove(struct emu_map *map, struct emu_node *node)
{
    struct emu_node **link;

    if (!node->key)
        return;
    link = bucket_of(map, node->hash);
    while (*link != node)
        link = &(*link)->next;
    *link = node->next;
    node->key = NULL;
    map->n--;
}

struct emu_node *emu_map_take(struct emu_map *map)
{
    /* Shrinking n_buckets breaks the mask, which nobody needs any more: only this empties it. */
    for (; map->n_buckets; map->n_buckets--) {
        struct emu_node *node = map->buckets[map->n_buckets - 1];

        if (node) {
            map->buckets[map->n_buckets - 1] = node->next;
            node->key = NULL;
            map->n--;
            return node;
        }
    }
    free(map->buckets);
    *map = (struct emu_map){0};
    return NULL;
}
