namespace ChemScale.Engine.Scaling.Families;

internal static class Logistic
{
    /// <summary>log(1 + e^z), at any z.</summary>
    public static double Softplus(double z) => Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z)));

    /// <summary>1 / (1 + e^-z), its small values to full relative precision.</summary>
    public static double Sigmoid(double z) => z >= 0 ? 1 / (1 + Math.Exp(-z)) : Math.Exp(z) / (1 + Math.Exp(z));
}
