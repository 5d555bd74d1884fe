using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// The engine with changed source, and these tests bound to it, beside the real ones in one process. What stands below, the
/// simulator among it, is shared.
/// </summary>
sealed class MutatedEngine : AssemblyLoadContext
{
    const string EngineName = "Ashlar.KeyValue";

    static readonly Lazy<ImmutableDictionary<string, string>> Sources = new(ReadSources);
    static readonly Lazy<ImmutableDictionary<string, SyntaxTree>> Trees = new(() => Sources.Value.ToImmutableDictionary(
        source => source.Key, source => Parse(source.Value)));

    static readonly Lazy<ImmutableArray<MetadataReference>> References = new(() => [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith(EngineName, StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ]);

    readonly Assembly engine;
    readonly Assembly tests;

    MutatedEngine(Stream image)
    {
        engine = LoadFromStream(image);
        tests = LoadFromAssemblyPath(typeof(MutatedEngine).Assembly.Location);
    }

    public static MutatedEngine Compile(IEnumerable<SourceEdit> edits)
    {
        var changed = Trees.Value;
        foreach (var file in edits.GroupBy(edit => edit.File))
        {
            var text = file.Aggregate(Sources.Value[file.Key], Replace);
            changed = changed.SetItem(file.Key, Parse(text));
        }

        return Load(Compilation(changed.Values));
    }

    /// <summary>Compiles the engine with every file rewritten.</summary>
    public static MutatedEngine Rewrite(Func<string, SemanticModel, SyntaxNode, SyntaxNode> rewrite)
    {
        var original = Compilation(Trees.Value.Values);
        return Load(Compilation(Trees.Value.Select(file =>
        {
            var root = rewrite(file.Key, original.GetSemanticModel(file.Value), file.Value.GetRoot());
            return Parse(root.ToFullString());
        })));
    }

    static CSharpCompilation Compilation(IEnumerable<SyntaxTree> files)
    {
        var options = new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true,
            nullableContextOptions: NullableContextOptions.Enable);
        return CSharpCompilation.Create(EngineName, files, References.Value, options);
    }

    static MutatedEngine Load(CSharpCompilation compilation)
    {
        var image = new MemoryStream();
        var result = compilation.Emit(image);
        var errors = result.Diagnostics.Where(one => one.Severity == DiagnosticSeverity.Error);
        Assert.True(result.Success, string.Join('\n', errors));
        image.Position = 0;
        return new MutatedEngine(image);
    }

    /// <summary>Fails unless each piece is found exactly once.</summary>
    public static void RequirePlaces(IEnumerable<SourceEdit> edits)
    {
        foreach (var edit in edits) Replace(Sources.Value[edit.File], edit);
    }

    /// <summary>Runs a method of these tests as it is bound to the mutated engine.</summary>
    public object? Invoke(Delegate check, object?[] arguments)
    {
        var method = (MethodInfo)tests.ManifestModule.ResolveMethod(check.Method.MetadataToken)!;
        // A lambda that captures nothing is a method of an object without state.
        var target = method.IsStatic ? null : Activator.CreateInstance(method.DeclaringType!, nonPublic: true);
        return method.Invoke(target, BindingFlags.DoNotWrapExceptions, null, arguments, null);
    }

    /// <summary>Runs a test as it is bound to the mutated engine. Returns why it is red; null if it is not.</summary>
    public Exception? RunTest(Type testClass, string test, object?[] arguments)
    {
        var type = tests.GetType(testClass.FullName!, throwOnError: true)!;
        var method = type.GetMethod(test) ?? throw new ArgumentException($"{type} has no test {test}", nameof(test));
        var constructor = type.GetConstructors().Single();
        object?[] output = constructor.GetParameters().Length == 0 ? [] : [new SilentOutput()];
        try
        {
            var instance = constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, output, null);
            using (instance as IDisposable)
            {
                object?[] own = [.. method.GetParameters().Zip(arguments, (parameter, value) => Convert(value, parameter.ParameterType))];
                var result = method.Invoke(instance, BindingFlags.DoNotWrapExceptions, null, own, null);
                if (result is Task task) task.WaitAsync(TimeSpan.FromMinutes(2)).GetAwaiter().GetResult();
                return null;
            }
        }
        catch (Exception failure)
        {
            return failure;
        }
    }

    // An enum of these tests is another type over there.
    static object? Convert(object? value, Type type) =>
        value is Enum && value.GetType() != type ? Enum.ToObject(type, (int)value) : value;

    sealed class SilentOutput : ITestOutputHelper
    {
        public void WriteLine(string message)
        {
        }

        public void WriteLine(string format, params object[] args)
        {
        }
    }

    // What stands on the engine, and knows no more of it than its users do, stands on the mutated one.
    protected override Assembly? Load(AssemblyName assemblyName) => assemblyName.Name switch
    {
        EngineName => engine,
        $"{EngineName}.Sharding" => LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, $"{assemblyName.Name}.dll")),
        _ => null,
    };

    static string Replace(string text, SourceEdit edit)
    {
        var found = text.Split(edit.Original).Length - 1;
        Assert.True(found == 1, $"{edit.File} has {found} times: {edit.Original}");
        return text.Replace(edit.Original, edit.Replacement, StringComparison.Ordinal);
    }

    static SyntaxTree Parse(string text) =>
        CSharpSyntaxTree.ParseText(text, CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.CSharp14));

    static ImmutableDictionary<string, string> ReadSources()
    {
        var directory = Path.Combine(FindRoot(AppContext.BaseDirectory), "src", EngineName);
        var files = Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories)
            .ToImmutableDictionary(path => Path.GetRelativePath(directory, path), File.ReadAllText);
        // What the build adds.
        return files.Add(
            "Build.cs",
            $"""
            global using System;
            global using System.Collections.Generic;
            global using System.IO;
            global using System.Linq;
            global using System.Threading;
            global using System.Threading.Tasks;
            [assembly: System.Runtime.CompilerServices.InternalsVisibleTo("{typeof(MutatedEngine).Assembly.GetName().Name}")]
            """);
    }

    static string FindRoot(string directory) => File.Exists(Path.Combine(directory, "Ashlar.slnx"))
        ? directory
        : FindRoot(Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("Not inside the repository."));
}
