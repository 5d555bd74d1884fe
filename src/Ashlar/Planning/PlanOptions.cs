using System.CommandLine;
using Ashlar.Planning;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>The options of one plan: what they are called, how they are read, and that their units agree.</summary>
sealed class PlanOptions(Terminal terminal)
{
    const int MostFileBytes = 1 << 20;

    readonly List<Option> all = [];
    readonly List<Option<ByteAmount?>> sizes = [];
    Option<UnitSystem?>? units;

    public Option<ByteAmount?> Size(string name, string description, bool mayBeZero = false) =>
        AddSize(name, "SIZE", description, text => ByteAmount.Parse(text, mayBeZero));

    public Option<ByteAmount?> Bandwidth(string name, string description) => AddSize(name, "SIZE/s", description, ByteRate.Parse);

    public Option<Rate?> Rate(string name, string description) => Add<Rate?>(name, "RATE", description, text => Planning.Rate.Parse(text));

    public Option<TimeSpan?> Time(string name, string description) => Add<TimeSpan?>(name, "TIME", description, text => Period.Parse(text));

    public Option<decimal?> Percent(string name, string description, decimal most = 1, bool mayBeZero = true) =>
        Add<decimal?>(name, "PERCENT", description, text => Planning.Share.Parse(text, most, mayBeZero));

    public Option<long?> Count(string name, string description, long least = 1, long most = long.MaxValue) =>
        Add<long?>(name, "COUNT", description, text => Count1000.Parse(text, least, most));

    public Option<decimal?> Number(string name, string description, decimal least, decimal most) =>
        Add<decimal?>(name, "NUMBER", description, text => Count1000.ParseNumber(text, least, most));

    public Option<T?> Choice<T>(string name, string valueName, string description, string what)
        where T : struct, Enum => Add<T?>(name, valueName, description, text => NeedsFile.ParseName<T>(text, what));

    public Option<T?> Add<T>(string name, string valueName, string description, Func<string, T?> parse)
    {
        var option = Setting.Create(terminal, name, valueName, description, parse, default);
        all.Add(option);
        return option;
    }

    /// <summary>
    /// A verb with these options, and --units. What the plan refuses is an error that names the option; <paramref name="inputOf"/>
    /// tells where an input came from, if not from the option of its name.
    /// </summary>
    public Verb Verb(
        string name,
        string description,
        IReadOnlyList<string> examples,
        Func<Invocation, ExitCode> run,
        Func<Invocation, string, string>? inputOf = null)
    {
        if (sizes.Count > 0)
            units = Choice<UnitSystem>(
                "--units", "SYSTEM", "binary (GiB) or decimal (GB) output [default: as the sizes given; else binary]", "a system of units");
        var verb = new Verb(name, description, examples, invocation =>
        {
            try
            {
                return run(invocation);
            }
            catch (PlanException e)
            {
                throw Usage.Error($"{inputOf?.Invoke(invocation, e.Input) ?? $"--{e.Input}"}: {e.Message}");
            }
        });
        foreach (var option in all) verb.Options.Add(option);
        return verb;
    }

    /// <summary>The one system of units of this plan.</summary>
    /// <param name="invocation">The call.</param>
    /// <param name="file">An option that names a file, and the system of the sizes in it.</param>
    /// <exception cref="CommandException">Two options are in different systems.</exception>
    public UnitSystem Units(Invocation invocation, (string Option, UnitSystem? System)? file = null)
    {
        (string Option, UnitSystem System)? first = file is { System: { } system } ? (file.Value.Option, system) : null;
        foreach (var option in sizes)
        {
            if (invocation.Get(option)?.System is not { } own) continue;
            if (first is { } other && other.System != own)
            {
                throw Usage.Error(
                    $"{option.Name}: its unit is {NeedsFile.NameOf(own)}, but that of {other.Option} is {NeedsFile.NameOf(other.System)}: "
                        + "one plan does not mix them",
                    "GiB, TiB and G, T are binary; GB, TB are decimal");
            }

            first ??= (option.Name, own);
        }

        return (units is null ? null : invocation.Get(units)) ?? first?.System ?? UnitSystem.Binary;
    }

    /// <summary>Reads a small text file and what is in it; errors name the option and the file.</summary>
    public static T ReadFile<T>(Invocation invocation, Option<string?> option, Func<string, T> parse)
    {
        var path = invocation.Get(option)!;
        using var file = FileSystems.Real.Open(Path.GetFullPath(path), FileOpenMode.ReadOnly);
        if (file.LengthBytes > MostFileBytes) throw Usage.Error($"{option.Name}: {path} is larger than {ByteSize.Format(MostFileBytes)}");
        var bytes = new byte[file.LengthBytes];
        var text = System.Text.Encoding.UTF8.GetString(bytes.AsSpan(0, file.Read(bytes, 0)));
        if (text.StartsWith('\uFEFF')) text = text[1..]; // What some editors begin UTF-8 with.
        try
        {
            return parse(text.Replace("\r\n", "\n", StringComparison.Ordinal));
        }
        catch (FormatException e)
        {
            throw Usage.Error($"{option.Name}: {path}: {e.Message}");
        }
    }

    public Option<string?> File(string name, string description) => Add(name, "FILE", description, text =>
        text.Length > 0 && !text.Contains('\0') ? text : throw new FormatException("an empty name"));

    Option<ByteAmount?> AddSize(string name, string valueName, string description, Func<string, ByteAmount> parse)
    {
        var option = Add<ByteAmount?>(name, valueName, description, text => parse(text));
        sizes.Add(option);
        return option;
    }
}
