using System.Text.Json;
using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// <c>run/server.json</c>: how the server that runs is reached. Only a convenience: it is neither flushed nor trusted, and a disk without
/// room for it does not keep the server from serving. It is written as soon as it can be, and goes with the server.
/// </summary>
sealed class RunFile : IDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    readonly IFileSystem files;
    readonly string directory;
    readonly Action<string> report;
    readonly ITimer retries;
    readonly Lock gate = new();
    RunningServer? server;
    bool isWritten;
    bool isDisposed;

    /// <summary>Writes nothing yet.</summary>
    /// <param name="files">Where the data directory is.</param>
    /// <param name="dataDirectory">It.</param>
    /// <param name="report">Gets lines for the log.</param>
    /// <param name="clock">Says when to try again.</param>
    public RunFile(IFileSystem files, string dataDirectory, Action<string> report, TimeProvider clock)
    {
        this.files = files;
        this.report = report;
        directory = $"{dataDirectory}/run";
        retries = clock.CreateTimer(
            static file => ((RunFile)file!).TryAgain(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    string FilePath => PathsIn(directory)[0];

    string TemporaryPath => PathsIn(directory)[1];

    /// <summary>All that it may leave in its directory: the file, and what is to become of it.</summary>
    public static IReadOnlyList<string> PathsIn(string directory) => [$"{directory}/server.json", $"{directory}/server.json.new"];

    /// <summary>Says how the server is reached, at once or as soon as the disk lets it.</summary>
    public void Announce(RunningServer running)
    {
        lock (gate)
        {
            server = running;
            if (TryWrite() is not { } problem) return;
            report($"serving without run/server.json, so commands need --server {running.Api} until it can be written: "
                + problem.Message);
            TryDelete(FilePath); // What an earlier server left would send commands to wherever that one was.
            retries.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (isDisposed) return;
            isDisposed = true;
            retries.Dispose();
            if (isWritten) TryDelete(FilePath); // Else it may be another's, whose lock file somebody removed.
        }
    }

    void TryAgain()
    {
        lock (gate)
        {
            if (isDisposed || isWritten) return;
            if (TryWrite() is null) report("run/server.json is written, commands find the server");
            else retries.Change(Interval, Timeout.InfiniteTimeSpan); // Only now: a disk that hangs holds up one try and not many.
        }
    }

    StorageException? TryWrite()
    {
        try
        {
            files.CreateDirectories(directory);
            using (var file = files.Open(TemporaryPath, FileOpenMode.OpenOrCreate))
            {
                file.SetLength(0);
                file.Write(JsonSerializer.SerializeToUtf8Bytes(server!, ApiJson.Strict.RunningServer), 0);
            }
            files.Rename(TemporaryPath, FilePath);
            isWritten = true;
            return null;
        }
        catch (StorageException problem)
        {
            TryDelete(TemporaryPath);
            return problem;
        }
    }

    void TryDelete(string path)
    {
        try
        {
            if (files.FileExists(path)) files.Delete(path);
        }
        catch (StorageException)
        {
            // A stale file costs the next command one failed connection.
        }
    }
}
