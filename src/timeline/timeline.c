/* How the sorts of slices look. Hues follow Okabe & Ito 2008 ("Color Universal Design"), told apart without full colour
 * vision. */
#include "timeline/timeline.h"

const struct sort_look sort_looks[SORT_COUNT] = {
    [SORT_FORWARD] = {"forward", "F", "#4a90d9", "#5b9fe3"},
    [SORT_BACKWARD] = {"backward", "B", "#e69f00", "#f0b429"},
    [SORT_WEIGHT] = {"weight", "W", "#009e73", "#2bb98f"},
    [SORT_FULL] = {"full", "D", "#d55e00", "#e9772e"},
    [SORT_PAIR] = {"pair", "P", "#7b5ea7", "#9a7fc4"},
    [SORT_RECOMPUTE] = {"recompute", "R", "#8da0b3", "#7f93a8"},
    [SORT_HEAD] = {"head", "H", "#56b4e9", "#7cc7f0"},
    [SORT_COLLECTIVE] = {"collective", "C", "#cc79a7", "#d993ba"},
    [SORT_MESSAGE] = {"message", "M", "#b8a400", "#d9c72e"},
    [SORT_OPTIMIZER] = {"optimizer", "O", "#5f6b76", "#93a1ae"},
    [SORT_COPY] = {"copy", "X", "#9c755f", "#b98f78"},
    [SORT_OTHER] = {"other", "*", "#a9b1b8", "#6d7780"},
};
