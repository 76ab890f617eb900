/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LIB_PIN_H
#define WEIR_LIB_PIN_H

/* From now on the object that this copy of the library is part of stays loaded. */
void library_pin(void);

#endif
