/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LIB_GIVE_BACK_H
#define WEIR_LIB_GIVE_BACK_H

/*
 * Free the packets of an EXPIRED session whose tracer is gone, with their memory. Others may fire
 * meanwhile, or claim the session: a packet is TAKEN while its memory goes, OPEN ones stay.
 * In the slow path of a fire: no lock, nothing allocated.
 */
void packets_give_back(unsigned session);

#endif
