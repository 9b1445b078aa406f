/** Mantine speaks our tokens: its own palette, sizes and shadows are not used. */
import { createTheme, type MantineColorsTuple } from "@mantine/core";

const accent: MantineColorsTuple = [
  "#e6eefe", "#c9dafc", "#a5c1fb", "#7ba7ff", "#5789f0", "#3c70e6", "#2f62d8", "#2459cf", "#1c4bb4", "#153a8d",
];

export const theme = createTheme({
  colors: { accent },
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 6 },
  fontFamily: "var(--font)",
  fontFamilyMonospace: "var(--mono)",
  fontSizes: { xs: "11px", sm: "12px", md: "13px", lg: "15px", xl: "20px" },
  lineHeights: { xs: "16px", sm: "16px", md: "20px", lg: "20px", xl: "28px" },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  radius: { xs: "2px", sm: "4px", md: "4px", lg: "6px", xl: "8px" },
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Menu: { defaultProps: { transitionProps: { duration: 0 }, shadow: "none" } },
    Tooltip: { defaultProps: { transitionProps: { duration: 0 }, openDelay: 400, withinPortal: true } },
  },
});
