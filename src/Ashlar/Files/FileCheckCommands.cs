using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar file verify</c> and <c>ashlar file prewarm</c>.</summary>
static class FileCheckCommands
{
    public static Verb CreateVerify(Terminal terminal)
    {
        var limit = Limit(terminal);
        var all = new Option<bool>("--all") { Description = "Files of all customers, which needs no key" };
        var (noWait, files) = (PoolCheckCommands.NoWait(), new FileOptions(terminal));
        return new Verb(
            "verify",
            "Prove that every file has verified copies of all its blocks; nothing is changed, and all may be in use",
            ["ashlar file verify", "ashlar file verify --all --limit-bandwidth 100MiB --no-wait"],
            async (invocation, cancellationToken) =>
            {
                var request = new StartFileVerification { BytesPerSecond = invocation.Get(limit) };
                if (invocation.Get(all))
                {
                    using var api = ApiClient.For(invocation);
                    var begun = await api.PostAsync(
                        "/v1/file-verifications", request, ApiJson.Strict.StartFileVerification, ApiJson.Strict.TaskInfo,
                        cancellationToken);
                    return await PoolCheckCommands.FollowAsync(invocation, api, begun, invocation.Get(noWait), cancellationToken);
                }

                using var client = files.Connect(invocation);
                var task = await client.VerifyAsync(request, cancellationToken);
                return await PoolCheckCommands.FollowAsync(invocation, client.Api, task, invocation.Get(noWait), cancellationToken);
            })
        { limit, all, noWait }.With(files);
    }

    public static Verb CreatePrewarm(Terminal terminal)
    {
        var path = FileArguments.OneOrRoot("A file, or a directory with all below");
        var (limit, noWait, files) = (Limit(terminal), PoolCheckCommands.NoWait(), new FileOptions(terminal));
        return new Verb(
            "prewarm",
            "Read files into the caches of the server, so that whoever reads them next need not wait for disks",
            ["ashlar file prewarm /photos"],
            async (invocation, cancellationToken) =>
            {
                using var client = files.Connect(invocation);
                var request = new StartPrewarm { Path = invocation.Get(path).File.Path, BytesPerSecond = invocation.Get(limit) };
                var task = await client.PrewarmAsync(request, cancellationToken);
                return await PoolCheckCommands.FollowAsync(invocation, client.Api, task, invocation.Get(noWait), cancellationToken);
            })
        { path, limit, noWait }.With(files);
    }

    static Option<long?> Limit(Terminal terminal) => Setting.Create<long?>(
        terminal, "--limit-bandwidth", "SIZE", "How much it may read in a second, 1MiB at least [default: all it can]",
        static text => ByteSize.Parse(text), null);
}
