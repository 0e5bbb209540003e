/* parplan: plans the training of large models in parallel. Everything happens in cli/command.c. */
#include "cli/command.h"

int main(int argc, char **argv) {
    return command_main(argc, argv);
}
