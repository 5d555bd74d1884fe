using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>
/// The process that may have a data directory, as its lock file says: one that lives. What <c>run/server.json</c> says is of no use
/// without it.
/// </summary>
/// <param name="ProcessId">Null where that is not known.</param>
sealed record DataOwner(int? ProcessId)
{
    /// <summary>Where the server can be found out about, as far as a command can tell.</summary>
    public const string Advice = "its log says where it serves: name that by --server";

    /// <summary>Who may have the directory; null where nobody does.</summary>
    /// <exception cref="StorageException">This user may not look.</exception>
    public static DataOwner? Of(string directory)
    {
        var path = $"{directory}/lock";
        try
        {
            if (!FileSystems.Real.FileExists(path)) return null;
            // Read only: whoever tries the lock has it for a moment, in which a server that starts is refused.
            using var file = FileSystems.Real.Open(path, FileOpenMode.ReadOnly);
            if (file.LengthBytes == 0) return new((int?)null); // There was no room to say who.
            return file.ReadLockOwner() is { } id && FileSystems.Real.DirectoryExists($"/proc/{id}") ? new(id) : null;
        }
        catch (StorageException e) when (e.Kind != StorageErrorKind.AccessDenied)
        {
            return null;
        }
    }

    public override string ToString() => ProcessId is { } id ? $"process {id}" : "another process";
}
