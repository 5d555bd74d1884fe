using Ashlar.Files;

namespace Ashlar.Server;

/// <summary>Proves that every file resolves to verified copies of its blocks. It only reads.</summary>
/// <param name="store">The file store.</param>
/// <param name="only">Whose files; null for all.</param>
sealed class VerifyFilesWork(FileStore store, CustomerId? only) : FileWork(store)
{
    public override string Type => "verify-files";

    public override async Task RunAsync(TaskContext context)
    {
        var found = await new FileVerifier(Store.Metadata, Paced(context)).RunAsync(only, context.Stop.Token);
        foreach (var problem in found.Problems)
        {
            var where = problem.Node is { } node ? $" on storage node {NameOf(node)}" : "";
            Find($"customer {problem.Customer}, {problem.Path}: {problem.Problem}{where} (block {problem.Block})");
        }

        var away = found.Unreachable > 0 ? $"; {found.Unreachable} copies are on nodes that do not answer" : "";
        var files = found.Files == 1 ? "1 file" : $"{found.Files} files";
        var copies = found.Copies == 1 ? "1 copy" : $"{found.Copies} copies";
        Say($"{files}, {Count(found.Blocks)}, {copies} read and verified{away}");
    }

    string NameOf(NodeId id) => Store.Nodes.All.FirstOrDefault(node => node.Record.NodeId == id)?.Name ?? id.ToString();
}
