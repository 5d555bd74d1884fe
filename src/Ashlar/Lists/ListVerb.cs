using System.Text.Json.Serialization.Metadata;

namespace Ashlar.CommandLine;

/// <summary>A verb <c>list</c>: what a server has is selected, sorted, watched and written as in every list.</summary>
static class ListVerb
{
    /// <summary>Makes one.</summary>
    /// <param name="terminal">Where the program was called.</param>
    /// <param name="columns">All that there are; the first is the name.</param>
    /// <param name="description">What is listed.</param>
    /// <param name="examples">Lines that work as they are typed.</param>
    /// <param name="get">Gets all items.</param>
    /// <param name="page">What is written as JSON.</param>
    /// <param name="json">How.</param>
    /// <param name="name">What a program goes on with, of an item.</param>
    public static Verb Create<TItem, TPage>(
        Terminal terminal,
        IReadOnlyList<ListColumn<TItem>> columns,
        string description,
        IReadOnlyList<string> examples,
        Func<ApiClient, CancellationToken, Task<IReadOnlyList<TItem>>> get,
        Func<IReadOnlyList<TItem>, TPage> page,
        JsonTypeInfo<TPage> json,
        Func<TItem, string> name)
    {
        var (list, watch) = (new ListOptions<TItem>(terminal, columns), new WatchOptions(terminal));
        var verb = new Verb(
            "list",
            description,
            examples,
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                return await watch.RunAsync(invocation, token => get(client, token), found => Show(invocation, found), cancellationToken);
            });
        foreach (var option in list.All.Concat(watch.All)) verb.Options.Add(option);
        verb.Aliases.Add("ls");
        return verb;

        ExitCode Show(Invocation invocation, IReadOnlyList<TItem> found)
        {
            var items = list.Select(invocation, found);
            invocation.Write(page(items), json, items.Select(name), (_, _) => list.WriteTable(invocation, items));
            return ExitCode.Ok;
        }
    }
}
