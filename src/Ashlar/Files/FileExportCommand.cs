using System.CommandLine;
using System.Globalization;
using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar file export</c>.</summary>
static class FileExportCommand
{
    const int BufferBytes = 64 << 10;

    public static Verb Create(Terminal terminal)
    {
        var target = new Option<string?>("--out") { Description = "Write them to this file [default: the output]", HelpName = "FILE" };
        var all = new Option<bool>("--all") { Description = "Files of all customers, which needs no key" };
        var replace = new Option<bool>("--replace") { Description = "Also in the place of a file of this machine that is there" };
        var files = new FileOptions(terminal);
        return new Verb(
            "export",
            "Export names, files and places of blocks, as of one moment, as statements of SQL that SQLite and PostgreSQL take",
            ["ashlar file export --out files.sql", "ashlar file export --all --out all.sql --replace"],
            async (invocation, cancellationToken) =>
            {
                if (invocation.Format != OutputFormat.Table) throw Usage.Error("-o is not for this command: the output is SQL");
                if (invocation.Get(all))
                {
                    using var api = ApiClient.For(invocation);
                    using var script = await api.OpenAsync("/v1/file-catalogue", 0, null, cancellationToken);
                    return await WriteAsync(invocation, script, invocation.Get(target), invocation.Get(replace), cancellationToken);
                }

                using var client = files.Connect(invocation);
                using var own = await client.OpenCatalogueAsync(cancellationToken);
                return await WriteAsync(invocation, own, invocation.Get(target), invocation.Get(replace), cancellationToken);
            })
        { target, all, replace }.With(files);
    }

    static async Task<ExitCode> WriteAsync(
        Invocation invocation, HttpResponseMessage script, string? target, bool mayReplace, CancellationToken cancellationToken)
    {
        if (target is null)
        {
            await using var output = invocation.Terminal.OpenOut();
            await CopyAsync(script, output, cancellationToken);
            return ExitCode.Ok;
        }

        // Whole and on the disk, or not there: beside its place first, and renamed then.
        var path = TypedPath.OfFile(target);
        if (!mayReplace && (FileSystems.Real.FileExists(path) || FileSystems.Real.DirectoryExists(path)))
            throw new CommandException(ExitCode.Conflict, ProblemTypes.Exists, $"{path} is there already", "add --replace");
        var part = string.Create(CultureInfo.InvariantCulture, $"{path}.{invocation.Terminal.Entropy.NextUInt64():x16}.part");
        using var file = FileSystems.Real.Open(part, FileOpenMode.CreateNew);
        try
        {
            await using var stream = new StoredFile(file);
            var bytes = await CopyAsync(script, stream, cancellationToken);
            file.Sync();
            FileSystems.Real.Rename(part, path);
            FileSystems.Real.SyncDirectory(Path.GetDirectoryName(path)!);
            invocation.Tell($"{path} has {ByteSize.Format(bytes)} of SQL");
        }
        catch
        {
            if (FileSystems.Real.FileExists(part)) FileSystems.Real.Delete(part);
            throw;
        }

        return ExitCode.Ok;
    }

    static async Task<long> CopyAsync(HttpResponseMessage script, Stream target, CancellationToken cancellationToken)
    {
        var passed = 0L;
        try
        {
            await using var source = await script.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[BufferBytes];
            while (await source.ReadAsync(buffer, cancellationToken) is > 0 and var length)
            {
                await target.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
                passed += length;
            }

            await target.FlushAsync(cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException)
        {
            throw new CommandException(
                ExitCode.Failed, ProblemTypes.Failed, "the server ended the script before its end", "its log may say why");
        }

        return passed;
    }
}
