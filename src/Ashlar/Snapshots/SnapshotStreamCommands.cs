using System.CommandLine;
using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar snapshot export</c> and <c>ashlar snapshot import</c>.</summary>
static class SnapshotStreamCommands
{
    const int BufferBytes = 1 << 20;

    public static Verb CreateExport()
    {
        var path = SnapshotArguments.One();
        var since = new Option<string?>("--since")
        {
            Description = "Only what differs from this older snapshot of the volume",
            HelpName = "NAME",
        };
        var file = new Option<string?>("--file") { Description = "Where to [default: the output]", HelpName = "FILE" };
        return new Verb(
            "export",
            "Write a snapshot as a stream: all of it, or what differs from an older one",
            [
                "ashlar snapshot export vm1@monday --file vm1.snapshot",
                "ashlar snapshot export vm1@tuesday --since monday --file vm1.delta",
            ],
            async (invocation, cancellationToken) =>
            {
                var terminal = invocation.Terminal;
                if (invocation.Get(file) is null && terminal.OutIsTerminal)
                    throw Usage.Error("the output is a terminal, and a stream is not for people", "add --file, or a pipe");
                using var client = ApiClient.For(invocation);
                // The name alone, or the whole path, as it is copied from a list.
                var older = invocation.Get(since)?.Split('@')[^1];
                await using var source = await client.ExportSnapshotAsync(invocation.Get(path), older, cancellationToken);
                var bytes = invocation.Get(file) is { } name
                    ? await WriteFileAsync(invocation, source, TypedPath.OfFile(name), cancellationToken)
                    : await WriteOutAsync(invocation, source, cancellationToken);
                invocation.Tell($"{invocation.Get(path)} is exported: {ByteSize.Format(bytes)}");
                return ExitCode.Ok;
            })
        { path, since, file };
    }

    public static Verb CreateImport()
    {
        var path = PathArgument.Volume();
        var file = new Option<string?>("--file") { Description = "Where from [default: the input]", HelpName = "FILE" };
        var revert = new Option<bool>("--revert")
        {
            Description = "Lose what was written to the volume since the snapshot that the stream begins at",
        };
        return new Verb(
            "import",
            "Make a volume of a stream, or go on with one from its newest snapshot; all of it, or nothing",
            [
                "ashlar snapshot import vm2 --file vm1.snapshot",
                "ashlar snapshot import vm2 --revert --file vm1.delta",
            ],
            async (invocation, cancellationToken) =>
            {
                var terminal = invocation.Terminal;
                if (invocation.Get(file) is null && terminal.InIsTerminal)
                    throw Usage.Error("the input is a terminal, and no stream comes from there", "add --file, or a pipe");
                using var client = ApiClient.For(invocation);
                await using var source = invocation.Get(file) is { } name ? Open(name) : terminal.OpenIn();
                await using var counted = new ProgressStream(source, new StreamProgress(invocation, "imported"));
                var snapshot = await client.ImportSnapshotAsync(
                    invocation.Get(path), counted, invocation.Get(revert), cancellationToken);
                invocation.WriteChange(snapshot, ApiJson.Strict.Snapshot, [SnapshotScreens.PathOf(snapshot)], (writer, _) =>
                    writer.WriteLine($"{SnapshotScreens.PathOf(snapshot)} is imported"));
                return ExitCode.Ok;
            })
        { path, file, revert };
    }

    // Whole and on the disk, or not there: what is half there would be taken for a backup. What is there already is not written over.
    static async Task<long> WriteFileAsync(Invocation invocation, Stream source, string path, CancellationToken cancellationToken)
    {
        using var file = FileSystems.Real.Open(path, FileOpenMode.CreateNew);
        try
        {
            var bytes = await CopyAsync(invocation, source, new StoredFile(file), cancellationToken);
            file.Sync();
            FileSystems.Real.SyncDirectory(Path.GetDirectoryName(path)!);
            return bytes;
        }
        catch
        {
            FileSystems.Real.Delete(path);
            throw;
        }
    }

    static async Task<long> WriteOutAsync(Invocation invocation, Stream source, CancellationToken cancellationToken)
    {
        try
        {
            await using var target = invocation.Terminal.OpenOut();
            return await CopyAsync(invocation, source, target, cancellationToken);
        }
        catch (OutputException e) when (e.IsClosed)
        {
            // Of a list somebody may have enough; a stream without its end is nothing.
            throw new CommandException(ExitCode.Failed, ProblemTypes.Failed, "whoever reads the stream ended before its end");
        }
    }

    static async Task<long> CopyAsync(Invocation invocation, Stream source, Stream target, CancellationToken cancellationToken)
    {
        await using var counted = new ProgressStream(source, new StreamProgress(invocation, "exported"));
        try
        {
            await counted.CopyToAsync(target, BufferBytes, cancellationToken);
            await target.FlushAsync(cancellationToken);
            return counted.Position;
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException)
        {
            // The stream has no end, so nobody imports it.
            throw new CommandException(
                ExitCode.Failed, ProblemTypes.Failed, "the server ended the stream before its end", "its log may say why");
        }
    }

    static StoredFile Open(string name) => new(FileSystems.Real.Open(TypedPath.OfFile(name), FileOpenMode.ReadOnly));
}
