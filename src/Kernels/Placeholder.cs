namespace ChemScale.Kernels;
internal static class Placeholder { }
