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
        Func<Invocation, CancellationToken, Task<ExitCode>> run)
        : base(name, description)
    {
        Examples = examples;
        this.run = run;
    }

    public Verb(string name, string description, IReadOnlyList<string> examples, Func<Invocation, ExitCode> run)
        : this(name, description, examples, (invocation, _) => Task.FromResult(run(invocation)))
    {
    }

    public IReadOnlyList<string> Examples { get; }

    public Task<ExitCode> RunAsync(Invocation invocation, CancellationToken cancellationToken) =>
        run(invocation, cancellationToken);
}

/// <summary>A thing with commands of its own: <c>ashlar volume</c>.</summary>
sealed class Noun(string name, string description, IReadOnlyList<string> examples)
    : Command(name, description), IHasExamples
{
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>Help shows examples first.</summary>
interface IHasExamples
{
    /// <summary>Complete command lines, each beginning with "ashlar".</summary>
    IReadOnlyList<string> Examples { get; }
}
