namespace ChemScale.Engine.Stores;

/// <summary>A file of a store as its manifest knows it.</summary>
/// <param name="Name">Name within the store.</param>
/// <param name="Bytes">Exact size.</param>
/// <param name="Sha256">Lower-case hexadecimal, as <c>sha256sum</c> prints it.</param>
public sealed record StoredFile(string Name, long Bytes, string Sha256);
