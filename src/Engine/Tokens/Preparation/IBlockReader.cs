namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Cuts the input into blocks, and hands the molecules of a block to a worker.</summary>
internal interface IBlockReader : IDisposable
{
    /// <summary>Part of the input that was read, 0 to 1.</summary>
    double Fraction { get; }

    /// <summary>The next block; false at the end. One thread.</summary>
    bool Fill(MoleculeBlock block);

    /// <summary>Hands over the molecules of a block, or refuses their lines. Called from many threads, each with its own blocks.</summary>
    void ForEach(MoleculeBlock block, MoleculeAction encode);
}

/// <summary>What is done with one molecule.</summary>
internal delegate void MoleculeAction(MoleculeBlock block, long line, ReadOnlySpan<char> molecule);
