using System.Text;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>How this user starts the program: what a command line to paste begins with.</summary>
static class ProgramName
{
    /// <summary>The name of a program that the PATH leads to.</summary>
    public const string Installed = "ashlar";

    const int LongestPathBytes = 4096;

    /// <summary>The word that the process was started by, a name or a path; the wrapper of the repository passes its own.</summary>
    public static string OfProcess() =>
        // Started by the host of .NET, the first word is that of the host.
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) != "dotnet" && FirstWord() is { } word
            ? ShellWord.Quote(word)
            : Installed;

    static string? FirstWord()
    {
        try
        {
            using var file = FileSystems.Real.Open("/proc/self/cmdline", FileOpenMode.ReadOnly);
            var bytes = new byte[LongestPathBytes];
            var word = bytes.AsSpan(0, file.Read(bytes, 0));
            return word.IndexOf((byte)0) is > 0 and var end ? Encoding.UTF8.GetString(word[..end]) : null;
        }
        catch (StorageException)
        {
            return null;
        }
    }
}
