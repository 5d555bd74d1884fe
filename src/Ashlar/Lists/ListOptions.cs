using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ashlar.CommandLine;

/// <summary>
/// Which items of a list are shown, what of them, and in which order: --columns, --sort, --reverse, --filter, --no-headings.
/// </summary>
sealed class ListOptions<T>
{
    readonly IReadOnlyList<ListColumn<T>> columns;
    readonly Option<IReadOnlyList<ListColumn<T>>?> chosen;
    readonly Option<ListColumn<T>?> sort;
    readonly Option<IReadOnlyList<ListFilter<T>>> filter;
    readonly Option<bool> reverse = new("--reverse") { Description = "In the opposite order" };
    readonly Option<bool> noHeadings = new("--no-headings") { Description = "Without the line of headings" };

    /// <summary>The options of a list with these columns.</summary>
    /// <param name="terminal">Where the program was called.</param>
    /// <param name="columns">All that there are; the first is the name.</param>
    public ListOptions(Terminal terminal, IReadOnlyList<ListColumn<T>> columns)
    {
        this.columns = columns;
        var names = columns.Select(column => column.Name).ToArray();
        chosen = Setting.Create<IReadOnlyList<ListColumn<T>>?>(
            terminal, "--columns", "NAMES", $"Columns of the table: {string.Join(", ", names)}", ParseColumns, null);
        sort = Setting.Create<ListColumn<T>?>(
            terminal, "--sort", "COLUMN", $"Order by this column [default: {names[0]}]", text => Find(text, columns), null);
        filter = new("--filter")
        {
            Description = "Only items with COLUMN=VALUE; also !=, <, <=, >, >=; '*' is any text",
            HelpName = "CONDITION",
            Arity = ArgumentArity.OneOrMore,
            CustomParser = ParseFilters,
            DefaultValueFactory = _ => [],
        };
        chosen.CompletionSources.Add(names);
        sort.CompletionSources.Add(names);
        filter.CompletionSources.Add([.. names.Select(name => $"{name}=")]);
        noHeadings.Aliases.Add("-H");
    }

    public IEnumerable<Option> All => [chosen, sort, reverse, filter, noHeadings];

    /// <summary>The items that were asked for, in the order that was asked for.</summary>
    public IReadOnlyList<T> Select(Invocation invocation, IEnumerable<T> items)
    {
        if (invocation.Format != OutputFormat.Table && invocation.IsGiven(chosen))
            throw Usage.Error("--columns is for tables", "leave --output away");
        var conditions = invocation.Get(filter)!;
        var order = invocation.Get(sort) ?? columns[0];
        var found = items
            .Where(item => conditions.All(condition => condition.Holds(item)))
            .Order(Comparer<T>.Create((a, b) => order.Compare(a, b) is not 0 and var difference ? difference : columns[0].Compare(a, b)));
        return invocation.Get(reverse) ? [.. found.Reverse()] : [.. found];
    }

    public void WriteTable(Invocation invocation, IReadOnlyList<T> items)
    {
        var terminal = invocation.Terminal;
        Fill(invocation, items).WriteTo(terminal.Out, terminal.OutStyle, terminal.Width, !invocation.Get(noHeadings));
    }

    /// <summary>The column of a name.</summary>
    /// <exception cref="FormatException">There is none.</exception>
    public static ListColumn<T> Find(string name, IReadOnlyList<ListColumn<T>> columns) =>
        columns.FirstOrDefault(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new FormatException(
                $"'{name}' is not a column: expected {string.Join(", ", columns.Select(column => column.Name))}");

    // Columns that were asked for stay, however narrow the terminal is.
    Table Fill(Invocation invocation, IReadOnlyList<T> items)
    {
        if (invocation.Get(chosen) is { } asked) return Fill(asked, items);
        var shown = columns.Where(column => column.Rank is not null).ToList();
        while (true)
        {
            var table = Fill(shown, items);
            var least = shown.MaxBy(column => column.Rank)!;
            if (invocation.Terminal.Width is not { } width || table.LeastWidth <= width || least.Rank == 0) return table;
            shown.Remove(least);
        }
    }

    static Table Fill(IReadOnlyList<ListColumn<T>> shown, IReadOnlyList<T> items)
    {
        var table = new Table([.. shown.Select(column => column.Heading)]);
        foreach (var item in items) table.Row([.. shown.Select(column => column.Text(item))]);
        return table;
    }

    IReadOnlyList<ListColumn<T>> ParseColumns(string text) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries).Select(name => Find(name, columns))];

    IReadOnlyList<ListFilter<T>> ParseFilters(ArgumentResult result)
    {
        try
        {
            return [.. result.Tokens.Select(token => ListFilter<T>.Parse(token.Value, columns))];
        }
        catch (FormatException e)
        {
            result.AddError($"--filter: {e.Message}");
            return [];
        }
    }
}
