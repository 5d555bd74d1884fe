using System.CommandLine;
using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar file put</c>.</summary>
static class FilePutCommand
{
    const string StandardInput = "-";

    public static Verb Create(Terminal terminal)
    {
        var source = new Argument<string>("FILE") { Description = "File of this machine; - is the input; with -r a directory" };
        var target = FileArguments.One("Where to; into what is a directory, or ends in a slash");
        var (recursive, replace, dryRun) = (
            FileArguments.Recursive("A directory with all below"), FileArguments.Replace(), FileArguments.DryRun());
        var (parallel, files) = (FileArguments.Parallel(terminal), new FileOptions(terminal));
        return new Verb(
            "put",
            "Store a file, or with -r a directory: each file all of it, or not at all",
            [
                "ashlar file put cat.jpg /photos/cat.jpg",
                "ashlar file put -r photos /backup/ --dry-run",
                "ashlar file put - /logs/today --replace",
            ],
            async (invocation, cancellationToken) =>
            {
                using var client = files.Connect(invocation);
                var (from, to) = (invocation.Get(source), invocation.Get(target));
                var run = new Run(invocation, client, invocation.Get(replace), invocation.Get(dryRun), cancellationToken);
                if (invocation.Get(recursive))
                {
                    if (from == StandardInput) throw Usage.Error("the input is no directory");
                    return await run.PutTreeAsync(TypedPath.OfDirectory(from), to, invocation.Get(parallel));
                }

                if (from != StandardInput && FileSystems.Real.DirectoryExists(TypedPath.OfFile(from)))
                    throw Usage.Error($"{from} is a directory", "add -r, which stores all below it");
                if (to.IsDirectory && from == StandardInput) throw Usage.Error($"{to} is a directory", "name the file");
                var path = from == StandardInput
                    ? to
                    : await client.PlaceAsync(to, Path.GetFileName(TypedPath.OfFile(from)), cancellationToken);
                await run.PutOneAsync(from == StandardInput ? null : TypedPath.OfFile(from), path);
                return ExitCode.Ok;
            })
        { source, target, recursive, replace, dryRun, parallel }.With(files);
    }

    sealed class Run(
        Invocation invocation, FileClient client, bool mayReplace, bool isDryRun, CancellationToken cancellationToken)
    {
        const int Attempts = 3;

        readonly TransferProgress progress = new(invocation, "put");

        public async Task PutOneAsync(string? source, FileAddress target)
        {
            if (isDryRun)
            {
                SayWhere(source ?? StandardInput, target);
                return;
            }

            try
            {
                var entry = await PutAsync(source, target);
                progress.End();
                FileScreens.WriteChanged(
                    invocation, entry, $"{entry.Path} is stored: {ByteSize.Format(entry.SizeBytes)}, {FileScreens.Checksum(entry)}");
            }
            finally
            {
                progress.End();
            }
        }

        public async Task<ExitCode> PutTreeAsync(string source, FileAddress target, int parallel)
        {
            if (!FileSystems.Real.DirectoryExists(source))
                throw new CommandException(ExitCode.NotFound, ProblemTypes.Failed, $"{source} is not a directory of this machine");
            var root = target.IsDirectory && target.Path != "/" ? target.Within(Path.GetFileName(source)) : target.File;
            var all = LocalTree.Walk(source).ToArray();
            var attempts = new Attempts(invocation);
            var (bytes, count) = (0L, 0);
            await MakeDirectoryAsync(root);
            // Directories first, in the order of the walk: each after the one that it is in.
            foreach (var (relative, _) in all.Where(static each => each.IsDirectory)) await MakeDirectoryAsync(root.Within(relative));
            string[] names = [.. all.Where(static each => !each.IsDirectory).Select(static each => each.Relative)];
            var turn = new SemaphoreSlim(1, 1); // What is said is said in lines.
            await Parallel.ForEachAsync(
                names,
                new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken },
                async (relative, _) =>
                {
                    FileEntry? entry = null;
                    CommandException? failure = null;
                    try
                    {
                        if (!isDryRun) entry = await PutAsync(LocalTree.Join(source, relative), root.Within(relative));
                    }
                    catch (CommandException e) when (e.ExitCode is not (ExitCode.Unreachable or ExitCode.Cancelled))
                    {
                        failure = e;
                    }

                    await turn.WaitAsync(cancellationToken);
                    try
                    {
                        progress.End();
                        if (failure is not null) await attempts.TryAsync(() => throw failure);
                        else if (isDryRun)
                            SayWhere(LocalTree.Join(source, relative), root.Within(relative));
                        else if (!invocation.IsSilent && invocation.Format != OutputFormat.Json) Say(entry!);
                        if (failure is null) (bytes, count) = (bytes + (entry?.SizeBytes ?? 0), count + 1);
                    }
                    finally
                    {
                        turn.Release();
                    }
                });
            progress.End();
            invocation.Tell($"{count} of {names.Length} files {(isDryRun ? "would be stored" : "are stored")}"
                + (isDryRun ? "" : $": {ByteSize.Format(bytes)}"));
            return attempts.ExitCode;
        }

        void SayWhere(string source, FileAddress target) =>
            invocation.Terminal.Out.WriteLine(ScreenText.Of($"{source} -> {target}"));

        void Say(FileEntry entry) => invocation.Terminal.Out.WriteLine(invocation.Format == OutputFormat.Name
            ? entry.Path
            : ScreenText.Of($"{entry.Path}  {ByteSize.Format(entry.SizeBytes)}  {FileScreens.Checksum(entry)}"));

        async Task MakeDirectoryAsync(FileAddress path)
        {
            if (isDryRun || path.Path == "/") return;
            try
            {
                await client.ActAsync(path, new() { Action = FileActions.CreateDirectory }, cancellationToken);
            }
            catch (CommandException e) when (e.ProblemType == ProblemTypes.Exists)
            {
                var there = await client.DescribeAsync(path, cancellationToken);
                if (!FileScreens.IsDirectory(there)) throw;
            }
        }

        async Task<FileEntry> PutAsync(string? source, FileAddress target)
        {
            // By time and chance: nobody draws the same one again.
            var upload = ((ulong)invocation.Terminal.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds() << 24)
                | (invocation.Terminal.Entropy.NextUInt64() >> 40);
            for (var attempt = 1; ; attempt++)
            {
                using var file = source is null ? null : FileSystems.Real.Open(source, FileOpenMode.ReadOnly);
                await using Stream content = file is null ? invocation.Terminal.OpenIn() : new StoredFile(file);
                if (attempt == 1) progress.Expect(file?.LengthBytes);
                using var tagger = new ContentTagger();
                try
                {
                    await using var passing = new PassingStream(content, tagger, progress.Pass);
                    var entry = await client.PutAsync(target, passing, file?.LengthBytes, mayReplace, upload, cancellationToken);
                    progress.EndFile();
                    return ContentTagger.Differ(tagger.Finish(), entry.Tag)
                        ? throw new CommandException(
                            ExitCode.Damaged, ProblemTypes.Corrupt, $"{target}: what is stored is not what was sent",
                            "delete it, and put it again")
                        : entry;
                }
                catch (CommandException e) when (e.ProblemType == ProblemTypes.UnknownOutcome && source is not null && attempt < Attempts)
                {
                    // With the same number it is done once.
                }
                catch (CommandException e) when (e.ProblemType == ProblemTypes.Exists)
                {
                    throw e.Hinting("add --replace, which stores it in the place of the other");
                }
            }
        }
    }
}
