// Light or dark: what the person chose, or what the system has.
class Theme {
  isDark = $state(document.documentElement.dataset.theme === 'dark');

  switch(): void {
    this.isDark = !this.isDark;
    const name = this.isDark ? 'dark' : 'light';
    document.documentElement.dataset.theme = name;
    localStorage.setItem('theme', name);
  }
}

export const theme = new Theme();
