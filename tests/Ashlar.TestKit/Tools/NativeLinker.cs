namespace Ashlar.TestKit;

/// <summary>The linker of programs that are compiled ahead of time: the C compiler of the machine.</summary>
public static class NativeLinker
{
    /// <summary>What .NET is told to link with.</summary>
    public const string Program = "gcc";

    static readonly Lazy<string?> Reason = new(Try);

    /// <summary>Null if it links programs, else why not.</summary>
    public static string? WhyNot => Reason.Value;

    // A program that it has linked is the only proof that it has all that it needs.
    static string? Try()
    {
        if (ExternalTool.WhyNot(Program, "objcopy") is { } missing) return missing;
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["program.c"], "int main(void) { return 0; }\n");
        var result = ExternalTool.Run(Program, directory["program.c"], "-o", directory["program"]);
        return result.ExitCode == 0 ? null : $"{Program} links no programs: {result.Errors.Split('\n')[0]}";
    }
}
