using System.Text.Json;
using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>
/// The server that <c>run/server.json</c> of a data directory tells of. After a kill the file stays, and its port may be another
/// server's by then: whoever goes by the file asks who it is that answers before anything is changed.
/// </summary>
/// <param name="DataDirectory">Where the file is.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="Address">Of its REST API.</param>
sealed record AnnouncedServer(string DataDirectory, int ProcessId, Uri Address)
{
    const int MaxFileBytes = 4096;

    /// <summary>What the file says; null where there is none. But that this user may not look is worth to be told.</summary>
    /// <exception cref="StorageException">This user may not look.</exception>
    public static AnnouncedServer? Of(string directory)
    {
        var path = $"{directory}/run/server.json";
        try
        {
            if (!FileSystems.Real.FileExists(path)) return null;
            using var file = FileSystems.Real.Open(path, FileOpenMode.ReadOnly);
            var bytes = new byte[MaxFileBytes];
            var running = JsonSerializer.Deserialize(bytes.AsSpan(0, file.Read(bytes, 0)), ApiJson.Strict.RunningServer);
            return Uri.TryCreate(running?.Api, UriKind.Absolute, out var uri) ? new(directory, running.ProcessId, uri) : null;
        }
        catch (StorageException e) when (e.Kind != StorageErrorKind.AccessDenied)
        {
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether the process that has the directory may be the one that wrote the file.</summary>
    public bool IsBy(DataOwner owner) => owner.ProcessId is null || owner.ProcessId == ProcessId;

    /// <summary>Whether this is the server that answered so. A number of a process is given out again; its directory is its own.</summary>
    public bool Is(Status status) => status.ProcessId == ProcessId && Resolve(status.DataDirectory) == Resolve(DataDirectory);

    static string Resolve(string directory)
    {
        try
        {
            return Path.IsPathFullyQualified(directory) ? FileSystems.Real.ResolveLinks(directory) : directory;
        }
        catch (StorageException)
        {
            return directory; // Not to be seen from here.
        }
    }
}
