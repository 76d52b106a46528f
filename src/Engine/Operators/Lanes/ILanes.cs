namespace ChemScale.Engine.Operators.Lanes;

/// <summary>A vector of <see cref="Count"/> numbers: lets one host path serve both precisions and both vector widths.</summary>
internal unsafe interface ILanes<TSelf, T>
    where TSelf : unmanaged, ILanes<TSelf, T>
    where T : unmanaged
{
    static abstract int Count { get; }

    static abstract TSelf Zero { get; }

    static abstract TSelf Load(T* address);

    static abstract void Store(T* address, TSelf value);

    static abstract TSelf All(T value);

    static abstract TSelf Add(TSelf a, TSelf b);

    static abstract TSelf Subtract(TSelf a, TSelf b);

    static abstract TSelf Multiply(TSelf a, TSelf b);

    static abstract TSelf Divide(TSelf a, TSelf b);

    static virtual TSelf operator +(TSelf a, TSelf b) => TSelf.Add(a, b);

    static virtual TSelf operator -(TSelf a, TSelf b) => TSelf.Subtract(a, b);

    static virtual TSelf operator *(TSelf a, TSelf b) => TSelf.Multiply(a, b);

    /// <summary>a b + c, rounded once.</summary>
    static abstract TSelf Fma(TSelf a, TSelf b, TSelf c);

    static abstract TSelf Max(TSelf a, TSelf b);

    static abstract TSelf Min(TSelf a, TSelf b);

    static abstract TSelf Sqrt(TSelf x);

    /// <summary>x, or 0 where it is a subnormal number.</summary>
    static abstract TSelf Normal(TSelf x);

    /// <summary>1 / x, to a unit or two in the last place; x positive and finite.</summary>
    static abstract TSelf Reciprocal(TSelf x);

    /// <summary>e^x; in single precision 0 below the least normal number, and no more than e^88.3.</summary>
    static abstract TSelf Exp(TSelf x);

    /// <summary>2^x; 0 below 2^-100, so that products with it are no subnormal numbers.</summary>
    static abstract TSelf Exp2(TSelf x);

    /// <summary>2^x of four, their steps in turn: one after the other they would wait for themselves.</summary>
    static abstract void Exp2(ref TSelf a, ref TSelf b, ref TSelf c, ref TSelf d);

    /// <summary>Natural logarithm of positive numbers.</summary>
    static abstract TSelf Log(TSelf x);

    /// <summary>Of all lanes.</summary>
    static abstract T Sum(TSelf x);

    /// <summary>Of all lanes.</summary>
    static abstract T Greatest(TSelf x);

    /// <summary>Lane l of the result: <paramref name="value"/>'s where low &lt;= l &lt; high, else <paramref name="other"/>'s.</summary>
    static abstract TSelf SelectRange(int low, int high, TSelf value, TSelf other);
}
