using System.CommandLine;
using System.Globalization;
using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar file get</c> and <c>ashlar file cat</c>.</summary>
static class FileGetCommand
{
    const string StandardOutput = "-";
    const int BufferBytes = 256 << 10;

    public static Verb Create(Terminal terminal)
    {
        var source = FileArguments.One("The file; with -r a directory");
        var target = new Argument<string?>("FILE")
        {
            Description = "Where to; - is the output [default: the name of the file, in this directory]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var (recursive, dryRun) = (FileArguments.Recursive("A directory with all below"), FileArguments.DryRun());
        var replace = new Option<bool>("--replace") { Description = "Also in the place of files of this machine that are there" };
        var (parallel, files) = (FileArguments.Parallel(terminal), new FileOptions(terminal));
        return new Verb(
            "get",
            "Fetch a file, or with -r a directory: each file all of it, or not at all",
            ["ashlar file get /photos/cat.jpg", "ashlar file get -r /photos photos --parallel 8", "ashlar file get /logs/today -"],
            async (invocation, cancellationToken) =>
            {
                using var client = files.Connect(invocation);
                var (from, to) = (invocation.Get(source), invocation.Find(target));
                var run = new Run(invocation, client, invocation.Get(replace), invocation.Get(dryRun), cancellationToken);
                if (to == StandardOutput)
                {
                    if (invocation.Get(recursive)) throw Usage.Error("a directory does not go to the output");
                    return await CatAsync(invocation, client, [from], 0, null, cancellationToken);
                }

                if (!invocation.Get(recursive))
                {
                    var path = to is null ? TypedPath.OfFile(from.Name)
                        : FileSystems.Real.DirectoryExists(TypedPath.OfFile(to)) ? LocalTree.Join(TypedPath.OfFile(to), from.Name)
                        : TypedPath.OfFile(to);
                    await run.GetOneAsync(from, path);
                    return ExitCode.Ok;
                }

                return await run.GetTreeAsync(
                    from.File, TypedPath.OfDirectory(to ?? (from.Name.Length > 0 ? from.Name : ".")), invocation.Get(parallel));
            })
        { source, target, recursive, replace, dryRun, parallel }.With(files);
    }

    public static Verb CreateCat(Terminal terminal)
    {
        var paths = FileArguments.Several("The files");
        var offset = Setting.Create(terminal, "--offset", "OFFSET", "Where to begin, in bytes", ByteSize.Parse, 0L);
        var length = Setting.Create<long?>(
            terminal, "--length", "SIZE", "How much [default: to the end]", static text => ByteSize.Parse(text), null);
        var files = new FileOptions(terminal);
        return new Verb(
            "cat",
            "Write files, or a range of each, to the output",
            ["ashlar file cat /logs/today", "ashlar file cat /photos/cat.jpg --offset 1KiB --length 16"],
            async (invocation, cancellationToken) =>
            {
                using var client = files.Connect(invocation);
                return await CatAsync(
                    invocation, client, invocation.Get(paths), invocation.Get(offset), invocation.Get(length), cancellationToken);
            })
        { paths, offset, length }.With(files);
    }

    static async Task<ExitCode> CatAsync(
        Invocation invocation, FileClient client, FileAddress[] paths, long offset, long? length, CancellationToken cancellationToken)
    {
        var attempts = new Attempts(invocation);
        await using var target = invocation.Terminal.OpenOut();
        foreach (var path in paths)
        {
            await attempts.TryAsync(async () =>
            {
                if (length == 0) return;
                using var response = await client.OpenAsync(path, offset, length, cancellationToken);
                await CopyAsync(path, response, target, static _ => { }, offset == 0 && length is null, cancellationToken);
            });
        }

        return attempts.ExitCode;
    }

    static async Task<(long Bytes, string Tag)> CopyAsync(
        FileAddress path, HttpResponseMessage response, Stream target, Action<int> progress, bool isWhole,
        CancellationToken cancellationToken)
    {
        using var tagger = new ContentTagger();
        try
        {
            await using var source = await response.Content.ReadAsStreamAsync(cancellationToken);
            await using var passing = new PassingStream(source, tagger, progress);
            await passing.CopyToAsync(target, BufferBytes, cancellationToken);
            await target.FlushAsync(cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException)
        {
            throw new CommandException(
                ExitCode.Failed, ProblemTypes.Failed, $"{path}: the server ended it before its end", "its log may say why");
        }

        var tag = tagger.Finish();
        return isWhole && ContentTagger.Differ(tag, response.Headers.ETag?.Tag.Trim('"'))
            ? throw new CommandException(ExitCode.Damaged, ProblemTypes.Corrupt, $"{path}: what came is not what is stored")
            : (tagger.LengthBytes, tag);
    }

    sealed class Run(Invocation invocation, FileClient client, bool mayReplace, bool isDryRun, CancellationToken cancellationToken)
    {
        readonly TransferProgress progress = new(invocation, "get");

        public async Task GetOneAsync(FileAddress source, string target)
        {
            if (isDryRun)
            {
                invocation.Terminal.Out.WriteLine(ScreenText.Of($"{source} -> {target}"));
                return;
            }

            try
            {
                var entry = await client.DescribeAsync(source, cancellationToken);
                if (FileScreens.IsDirectory(entry)) throw Usage.Error($"{source} is a directory", "add -r, which fetches all below it");
                progress.Expect(entry.SizeBytes);
                var (bytes, tag) = await GetAsync(source, target);
                progress.End();
                FileScreens.WriteChanged(invocation, entry, $"{target} is fetched: {ByteSize.Format(bytes)}, {Checksum(tag)}");
            }
            finally
            {
                progress.End();
            }
        }

        public async Task<ExitCode> GetTreeAsync(FileAddress source, string target, int parallel)
        {
            var names = new List<(string Relative, long SizeBytes)>();
            if (!isDryRun) FileSystems.Real.CreateDirectories(target);
            await foreach (var entry in client.ListAsync(source, isRecursive: true, cancellationToken))
            {
                var relative = entry.Path[(source.Path == "/" ? 1 : source.Path.Length + 1)..];
                RequireLocal(relative);
                if (!FileScreens.IsDirectory(entry)) names.Add((relative, entry.SizeBytes));
                else if (!isDryRun) FileSystems.Real.CreateDirectories(LocalTree.Join(target, relative));
            }

            foreach (var (_, size) in names) progress.Expect(size);
            var attempts = new Attempts(invocation);
            var turn = new SemaphoreSlim(1, 1); // What is said is said in lines.
            var (count, total) = (0, 0L);
            await Parallel.ForEachAsync(
                names,
                new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken },
                async (each, _) =>
                {
                    var (from, to) = (source.Within(each.Relative), LocalTree.Join(target, each.Relative));
                    var got = (Bytes: 0L, Tag: "");
                    Exception? failure = null;
                    try
                    {
                        if (!isDryRun) got = await GetAsync(from, to);
                    }
                    catch (Exception e) when (
                        e is CommandException { ExitCode: not (ExitCode.Unreachable or ExitCode.Cancelled) } or StorageException)
                    {
                        failure = e;
                    }

                    await turn.WaitAsync(cancellationToken);
                    try
                    {
                        progress.End();
                        if (failure is not null) await attempts.TryAsync(() => throw ErrorReport.Describe(failure));
                        else if (isDryRun) invocation.Terminal.Out.WriteLine(ScreenText.Of($"{from} -> {to}"));
                        else if (!invocation.IsSilent && invocation.Format == OutputFormat.Table)
                            invocation.Terminal.Out.WriteLine(ScreenText.Of($"{to}  {ByteSize.Format(got.Bytes)}  {Checksum(got.Tag)}"));
                        if (failure is null) (count, total) = (count + 1, total + got.Bytes);
                    }
                    finally
                    {
                        turn.Release();
                    }
                });
            progress.End();
            invocation.Tell($"{count} of {names.Count} files {(isDryRun ? "would be fetched" : "are fetched")}"
                + (isDryRun ? "" : $": {ByteSize.Format(total)}"));
            return attempts.ExitCode;
        }

        static string Checksum(string tag) => tag.Contains('-') ? $"tag {tag}" : $"sha256 {tag}";

        // What a server says is not to lead out of the directory.
        static void RequireLocal(string relative)
        {
            if (relative.Split('/').Any(static part => part is "" or "." or "..") || relative.Contains('\0'))
                throw new CommandException(ExitCode.Failed, ProblemTypes.Failed, $"the server lists '{relative}', which is no path");
        }

        // Whole and on the disk, or not there: beside its place first, and renamed then.
        async Task<(long Bytes, string Tag)> GetAsync(FileAddress source, string target)
        {
            if (!mayReplace && (FileSystems.Real.FileExists(target) || FileSystems.Real.DirectoryExists(target)))
                throw new CommandException(ExitCode.Conflict, ProblemTypes.Exists, $"{target} is there already", "add --replace");
            using var response = await client.OpenAsync(source, 0, null, cancellationToken);
            var part = string.Create(CultureInfo.InvariantCulture, $"{target}.{invocation.Terminal.Entropy.NextUInt64():x16}.part");
            using var file = FileSystems.Real.Open(part, FileOpenMode.CreateNew);
            try
            {
                await using var stream = new StoredFile(file);
                var got = await CopyAsync(source, response, stream, progress.Pass, isWhole: true, cancellationToken);
                file.Sync();
                FileSystems.Real.Rename(part, target);
                FileSystems.Real.SyncDirectory(Path.GetDirectoryName(target)!);
                progress.EndFile();
                return got;
            }
            catch
            {
                if (FileSystems.Real.FileExists(part)) FileSystems.Real.Delete(part);
                throw;
            }
        }
    }
}
