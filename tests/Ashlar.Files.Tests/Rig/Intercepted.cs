using System.Reflection;

namespace Ashlar.Files.Tests;

/// <summary>Stands before an interface, to wait before calls or to plant a bug in one.</summary>
class Intercepted<T> : DispatchProxy
    where T : class
{
    static readonly MethodInfo AfterOf =
        typeof(Intercepted<T>).GetMethod(nameof(AfterAsync), BindingFlags.NonPublic | BindingFlags.Instance)!;

    readonly Dictionary<string, Delegate> planted = [];
    T inner = null!;
    Func<string, Task> before = _ => Task.CompletedTask;

    /// <summary>What is called instead of a method has the parameters of it and its result.</summary>
    public static T Create(T inner, Func<string, Task>? before = null, params (string Method, Delegate Instead)[] planted)
    {
        var proxy = Create<T, Intercepted<T>>();
        var intercepted = (Intercepted<T>)(object)proxy;
        intercepted.inner = inner;
        if (before is not null) intercepted.before = before;
        foreach (var (method, instead) in planted) intercepted.planted.Add(method, instead);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        object? Call() => planted.TryGetValue(targetMethod!.Name, out var instead)
            ? instead.DynamicInvoke(args)
            : targetMethod.Invoke(inner, BindingFlags.DoNotWrapExceptions, null, args, null);

        var result = targetMethod!.ReturnType;
        if (result == typeof(Task)) return AfterAsync<object?>(targetMethod.Name, Call, isVoid: true);
        if (!result.IsGenericType || result.GetGenericTypeDefinition() != typeof(Task<>)) return Call();
        return AfterOf.MakeGenericMethod(result.GetGenericArguments()).Invoke(this, [targetMethod.Name, (Func<object?>)Call, false]);
    }

    async Task<TResult> AfterAsync<TResult>(string method, Func<object?> call, bool isVoid)
    {
        await before(method);
        if (!isVoid) return await (Task<TResult>)call()!;
        await (Task)call()!;
        return default!;
    }
}
