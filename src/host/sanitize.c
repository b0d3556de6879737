/* AddressSanitizer calls this before functions that do not return, to clear
 * marks from the stack that it takes the thread to be on. Guest threads have
 * stacks of their own, which it does not know and warns of at each such call;
 * nothing that we leave for good is returned to, so there is nothing to clear.
 * GCC's run time is a shared library, which this definition comes before.
 */
#include "base/base.h"

#if defined(ISOMORPH_SANITIZE) && !defined(__clang__)
void __asan_handle_no_return(void);

void
__asan_handle_no_return(void)
{
}
#endif
