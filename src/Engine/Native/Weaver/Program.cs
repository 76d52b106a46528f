using System.Security.Cryptography;

namespace ChemScale.Engine.Native.Weaver;

/// <summary>Weaver IN OUT, run by the build. A mistake is one line in the form that MSBuild takes as an error.</summary>
internal static class Program
{
    /// <summary>lib/net8.0 of the package: what the rule was checked on.</summary>
    private const string Version = "0.107.0", Digest = "4cdbefe569482662109119685a31312c556ce24e67b6daf75eb16cc62264809c";

    public static int Main(string[] args)
    {
        string input = args[0], output = args[1];
        try
        {
            byte[] original = File.ReadAllBytes(input);
            string digest = Convert.ToHexStringLower(SHA256.HashData(original));
            if (digest != Digest)
            {
                throw new InvalidDataException($"not the library of the package TorchSharp {Version} that the weaver knows (SHA-256 {digest}). "
                    + "HINT: reference that version, or check the weaver on the new one by the tests of NativeLifetimeTests, then change its version and digest");
            }
            Directory.CreateDirectory(Path.GetDirectoryName(output)!);
            // Another build of the same folder sees the old file or the new one.
            string temporary = $"{output}.{Environment.ProcessId}";
            Console.WriteLine(Weaver.Weave(original, Path.GetDirectoryName(input)!, temporary, Version));
            File.Move(temporary, output, overwrite: true);
            return 0;
        }
#pragma warning disable CA1031 // Whatever it is, the build has to say it.
        catch (Exception e)
        {
            Console.WriteLine($"{input} : error WEAVE1: {e.Message.ReplaceLineEndings(" ")}");
            return 1;
        }
#pragma warning restore CA1031
    }
}
