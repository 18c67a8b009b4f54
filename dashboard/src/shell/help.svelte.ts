class Help {
  isOpen = $state(false);
}

export const help = new Help();
