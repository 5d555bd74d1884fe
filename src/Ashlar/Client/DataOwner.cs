using System.Globalization;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>The process that has a data directory, as its lock says. Asked where no <c>run/server.json</c> says how to reach it.</summary>
/// <param name="ProcessId">Null where that is not known.</param>
sealed record DataOwner(int? ProcessId)
{
    const int LongestIdBytes = 16;

    /// <summary>Where the server can be found out about, as far as a command can tell.</summary>
    public const string Advice = "its log says where it serves: name that by --server";

    /// <summary>Who has the directory; null where nobody does.</summary>
    public static DataOwner? Of(string directory)
    {
        var path = $"{directory}/lock";
        try
        {
            // The lock is tried only if somebody may have it: the trial takes it for a moment, in which a server that starts is refused.
            if (!FileSystems.Real.FileExists(path) || !MayBeTaken(path)) return null;
            using var free = FileSystems.Real.LockShared(path);
            return null;
        }
        catch (LockedException e)
        {
            return new(e.OwnerProcessId);
        }
        catch (StorageException)
        {
            return null;
        }
    }

    public override string ToString() => ProcessId is { } id ? $"process {id}" : "another process";

    static bool MayBeTaken(string path)
    {
        using var file = FileSystems.Real.Open(path, FileOpenMode.ReadOnly);
        Span<byte> text = stackalloc byte[LongestIdBytes];
        var length = file.Read(text, 0);
        if (length == 0) return true; // There was no room to say who.
        return int.TryParse(Encoding.ASCII.GetString(text[..length]), CultureInfo.InvariantCulture, out var id)
            && FileSystems.Real.DirectoryExists($"/proc/{id}");
    }
}
