/* list.h - an intrusive doubly linked ring.  A node that is in no list points to itself. */
#ifndef SKI_BASE_LIST_H
#define SKI_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct ski_list {
    struct ski_list *prev, *next;
};

/* The structure around a node. */
#define SKI_CONTAINER(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void ski_list_init(struct ski_list *node)
{
    node->prev = node->next = node;
}

static inline bool ski_list_empty(const struct ski_list *head)
{
    return head->next == head;
}

/* For a node: whether it is in a list. */
static inline bool ski_list_linked(const struct ski_list *node)
{
    return node->next != node;
}

/* Takes a node out of whatever list it is in; harmless when it is in none. */
static inline void ski_list_remove(struct ski_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    ski_list_init(node);
}

/* Appends a node, taking it out of its list first. */
static inline void ski_list_push_back(struct ski_list *head, struct ski_list *node)
{
    ski_list_remove(node);
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* The same, as the first: before what is first without it. */
static inline void ski_list_push_front(struct ski_list *head, struct ski_list *node)
{
    ski_list_remove(node);
    ski_list_push_back(head->next, node);
}

/* Takes the first node out; NULL when the list is empty. */
static inline struct ski_list *ski_list_pop_front(struct ski_list *head)
{
    struct ski_list *node = head->next;

    if (node == head)
        return NULL;
    ski_list_remove(node);
    return node;
}

/* Moves every node of `from` to the end of `to`. */
static inline void ski_list_move_all(struct ski_list *to, struct ski_list *from)
{
    if (ski_list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    ski_list_init(from);
}

#endif
