#include <criterion/criterion.h>

#include "base/arena.h"
#include "base/random.h"
#include "yaml/names.h"

#include "../support.h"

Test(names, keeps_prefixes_and_the_empty_name_apart) {
    static const char *const words[] = {"", "a", "ab", "abc", "b", "\xC3\xA9", "\xC3", "abd", "aa", "abcdefghijklmnop"};
    struct arena *arena = support_arena();
    struct names names;
    names_init(&names, arena);
    cr_expect(names_find(&names, "a") == NULL, "a name in no names");
    for (size_t i = 0; i < ROWS(words); i++) {
        cr_expect(names_find(&names, words[i]) == NULL, "'%s' before it was added", words[i]);
        struct name *name = names_add(&names, words[i]);
        cr_expect(name->value == NULL, "'%s' is new", words[i]);
        name->value = &words[i];
    }
    for (size_t i = 0; i < ROWS(words); i++) {
        const struct name *found = names_find(&names, words[i]);
        cr_assert(found != NULL, "'%s'", words[i]);
        cr_expect(found->value == &words[i], "'%s' has its own value", words[i]);
        cr_expect(names_add(&names, words[i]) == found, "'%s' added again is the same", words[i]);
    }
    cr_expect(names_find(&names, "abcd") == NULL);
    arena_close(arena);
}

/* Against a linear search over all that was added. */
Test(names, agrees_with_a_linear_search) {
    enum { COUNT = 2000 };
    struct arena *arena = support_arena();
    struct names names;
    struct random random;
    const char *added[COUNT];
    size_t count = 0;
    names_init(&names, arena);
    random_seed(&random, 1, 1);
    for (int i = 0; i < COUNT; i++) {
        char text[5] = "";
        uint32_t size = random_below(&random, 5);
        for (uint32_t k = 0; k < size; k++) {
            text[k] = (char)(0x7E + (int)random_below(&random, 5)); /* both sides of the sign bit */
        }
        bool there = false;
        for (size_t k = 0; k < count; k++) {
            there = there || text_equal(added[k], text);
        }
        struct name *name = names_add(&names, arena_text(arena, text));
        cr_assert((name->value != NULL) == there, "text %d", i);
        cr_assert_str_eq(name->text, text);
        name->value = &names;
        if (!there) {
            added[count++] = name->text;
        }
    }
    cr_expect(count > 300, "many different names: %zu", count);
    arena_close(arena);
}
