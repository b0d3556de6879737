/* What pci.c asks of pci_msix.c. */
#ifndef BUS_PCI_IMPL_H
#define BUS_PCI_IMPL_H

#include "bus/pci.h"

/* Sends what was pending and no longer is held back. */
void pci_msix_deliver(struct pci_function *function);
void pci_msix_reset(struct pci_function *function);
void pci_msix_state(struct pci_function *function, struct state *s);

#endif
