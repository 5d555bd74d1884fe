using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>A command that does something. Its examples are shown by help, and a test runs each through the parser.</summary>
sealed class Verb : Command, IHasExamples
{
    readonly Func<Invocation, CancellationToken, Task<ExitCode>> run;

    public Verb(
        string name,
        string description,
        IReadOnlyList<string> examples,
        Func<Invocation, CancellationToken, Task<ExitCode>> run,
        ServerUse serverUse = ServerUse.Talks,
        bool isHidden = false)
        : base(name, description)
    {
        Hidden = isHidden;
        Examples = examples;
        ServerUse = serverUse;
        this.run = run;
    }

    public Verb(
        string name,
        string description,
        IReadOnlyList<string> examples,
        Func<Invocation, ExitCode> run,
        ServerUse serverUse = ServerUse.Talks,
        bool isHidden = false)
        : this(name, description, examples, (invocation, _) => Task.FromResult(run(invocation)), serverUse, isHidden)
    {
    }

    public IReadOnlyList<string> Examples { get; }

    /// <summary>What it needs of a server, unless it belongs to a noun, which says so for all of its verbs.</summary>
    public ServerUse ServerUse { get; }

    public Task<ExitCode> RunAsync(Invocation invocation, CancellationToken cancellationToken) =>
        run(invocation, cancellationToken);
}

/// <summary>A thing with commands of its own: <c>ashlar volume</c>.</summary>
sealed class Noun(string name, string description, IReadOnlyList<string> examples, ServerUse serverUse = ServerUse.Talks)
    : Command(name, description), IHasExamples
{
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>What its verbs need of a server.</summary>
    public ServerUse ServerUse { get; } = serverUse;
}

/// <summary>What a command needs of a server, and so which of <c>--data</c> and <c>--server</c> its help shows.</summary>
enum ServerUse
{
    /// <summary>It talks to one.</summary>
    Talks = 0,

    /// <summary>It is one: only where its data is matters.</summary>
    Serves,

    /// <summary>Nothing.</summary>
    None,
}

/// <summary>Help shows examples first.</summary>
interface IHasExamples
{
    /// <summary>Complete command lines, each beginning with "ashlar".</summary>
    IReadOnlyList<string> Examples { get; }
}
