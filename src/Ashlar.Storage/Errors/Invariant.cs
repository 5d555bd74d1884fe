using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Ashlar.Storage;

/// <summary>
/// Checks that stay on in production. A broken invariant is a bug of ours, never bad input: bad bytes from disk raise
/// <see cref="CorruptDataException"/>, bad bytes from the wire a protocol error.
/// </summary>
public static class Invariant
{
    /// <summary>Fails when <paramref name="condition"/> does not hold.</summary>
    /// <exception cref="InvariantException">The condition is false.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Require(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        if (!condition) Fail(expression);
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Fail(string expression) => throw new InvariantException(expression);
}

/// <summary>A condition that the code relies on does not hold: a bug.</summary>
public sealed class InvariantException(string expression)
    : AshlarException($"Invariant broken: {expression}");
