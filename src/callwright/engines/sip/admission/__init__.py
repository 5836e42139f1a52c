"""Who may register and call: digest authentication, the registrar, and what slows the others."""
