namespace Ashlar.KeyValue.Tests;

/// <summary>
/// A bug that is planted for the tests of the tests: the engine, compiled anew with one change to its source. The product knows
/// nothing of it.
/// </summary>
/// <param name="Name">What it does wrong.</param>
/// <param name="Edits">Pieces of source files that are replaced; each is found exactly once.</param>
sealed record Mutation(string Name, params SourceEdit[] Edits)
{
    readonly Lazy<MutatedEngine> engine = new(() => MutatedEngine.Compile(Edits));

    /// <summary>Runs a check with the mutated engine in the place of the real one. The check captures nothing.</summary>
    public TResult Run<TResult>(Func<TResult> check) => (TResult)engine.Value.Invoke(check, [])!;

    /// <inheritdoc cref="Run{TResult}(Func{TResult})" />
    public TResult Run<T, TResult>(Func<T, TResult> check, T argument) => (TResult)engine.Value.Invoke(check, [argument])!;

    /// <inheritdoc cref="MutatedEngine.RunTest" />
    public Exception? RunTest(Type testClass, string test, object?[] arguments) => engine.Value.RunTest(testClass, test, arguments);

    public override string ToString() => Name;
}

/// <summary>A piece of a source file of the engine, and what stands there instead.</summary>
sealed record SourceEdit(string File, string Original, string Replacement);
