using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>The loops over bytes. All spans have one length, a multiple of <see cref="Multiple"/>.</summary>
abstract class ParityKernel
{
    /// <summary>What lengths are a multiple of: the widest lanes.</summary>
    public const int Multiple = 64;

    /// <summary>What this processor can do, the widest first.</summary>
    public static IReadOnlyList<ParityKernel> Supported { get; } = CreateSupported();

    /// <summary>The widest that this processor can do.</summary>
    public static ParityKernel Best => Supported[0];

    /// <summary>Bytes at once.</summary>
    public abstract int Width { get; }

    /// <summary>target += source</summary>
    public abstract void Add(Span<byte> target, ReadOnlySpan<byte> source);

    /// <summary>p += data; q = 2 q + data: a step of Horner's rule.</summary>
    public abstract void Step(Span<byte> p, Span<byte> q, ReadOnlySpan<byte> data);

    /// <summary>The same for four, the first one being the first step: p and q pass through the registers once.</summary>
    public abstract void Step(
        Span<byte> p,
        Span<byte> q,
        ReadOnlySpan<byte> first,
        ReadOnlySpan<byte> second,
        ReadOnlySpan<byte> third,
        ReadOnlySpan<byte> fourth);

    /// <summary>target += factor source</summary>
    public abstract void MultiplyAdd(Span<byte> target, ReadOnlySpan<byte> source, Factor factor);

    /// <summary>target = factor target</summary>
    public abstract void Multiply(Span<byte> target, Factor factor);

    /// <summary>(x, y) = (a x + b y, x + a x + b y): two lost blocks from what P and Q lack.</summary>
    public abstract void Solve(Span<byte> x, Span<byte> y, Factor a, Factor b);

    static ParityKernel[] CreateSupported()
    {
        List<ParityKernel> all = [];
        AddIfSupported<Lanes64>();
        AddIfSupported<Lanes32>();
        AddIfSupported<Lanes16>();
        AddIfSupported<Lanes8>();
        return [.. all];

        void AddIfSupported<TLanes>()
            where TLanes : struct, ILanes<TLanes>
        {
            if (TLanes.IsSupported) all.Add(new ParityKernel<TLanes>());
        }
    }
}

/// <summary>The loops with lanes of one width.</summary>
sealed class ParityKernel<TLanes> : ParityKernel
    where TLanes : struct, ILanes<TLanes>
{
    public override int Width => TLanes.Width;

    public override void Add(Span<byte> target, ReadOnlySpan<byte> source)
    {
        Check(target, source.Length);
        ref var to = ref MemoryMarshal.GetReference(target);
        ref var from = ref MemoryMarshal.GetReference(source);
        for (var at = 0; at < target.Length; at += TLanes.Width) Put(TLanes.Add(Get(ref to, at), Get(ref from, at)), ref to, at);
    }

    public override void Step(Span<byte> p, Span<byte> q, ReadOnlySpan<byte> data)
    {
        Check(p, q.Length, data.Length);
        ref var toP = ref MemoryMarshal.GetReference(p);
        ref var toQ = ref MemoryMarshal.GetReference(q);
        ref var from = ref MemoryMarshal.GetReference(data);
        for (var at = 0; at < p.Length; at += TLanes.Width)
        {
            var value = Get(ref from, at);
            Put(TLanes.Add(Get(ref toP, at), value), ref toP, at);
            Put(TLanes.Add(TLanes.Double(Get(ref toQ, at)), value), ref toQ, at);
        }
    }

    public override void Step(
        Span<byte> p,
        Span<byte> q,
        ReadOnlySpan<byte> first,
        ReadOnlySpan<byte> second,
        ReadOnlySpan<byte> third,
        ReadOnlySpan<byte> fourth)
    {
        Check(p, q.Length, first.Length, second.Length, third.Length, fourth.Length);
        ref var toP = ref MemoryMarshal.GetReference(p);
        ref var toQ = ref MemoryMarshal.GetReference(q);
        ref var from1 = ref MemoryMarshal.GetReference(first);
        ref var from2 = ref MemoryMarshal.GetReference(second);
        ref var from3 = ref MemoryMarshal.GetReference(third);
        ref var from4 = ref MemoryMarshal.GetReference(fourth);
        for (var at = 0; at < p.Length; at += TLanes.Width)
        {
            var (value1, value2) = (Get(ref from1, at), Get(ref from2, at));
            var (value3, value4) = (Get(ref from3, at), Get(ref from4, at));
            Put(
                TLanes.Add(Get(ref toP, at), TLanes.Add(TLanes.Add(value1, value2), TLanes.Add(value3, value4))),
                ref toP,
                at);
            var sum = TLanes.Add(TLanes.Double(Get(ref toQ, at)), value1);
            sum = TLanes.Add(TLanes.Double(sum), value2);
            sum = TLanes.Add(TLanes.Double(sum), value3);
            Put(TLanes.Add(TLanes.Double(sum), value4), ref toQ, at);
        }
    }

    public override void MultiplyAdd(Span<byte> target, ReadOnlySpan<byte> source, Factor factor)
    {
        Check(target, source.Length);
        ref var to = ref MemoryMarshal.GetReference(target);
        ref var from = ref MemoryMarshal.GetReference(source);
        for (var at = 0; at < target.Length; at += TLanes.Width)
            Put(TLanes.Add(Get(ref to, at), TLanes.Multiply(Get(ref from, at), factor)), ref to, at);
    }

    public override void Multiply(Span<byte> target, Factor factor)
    {
        Check(target);
        ref var to = ref MemoryMarshal.GetReference(target);
        for (var at = 0; at < target.Length; at += TLanes.Width) Put(TLanes.Multiply(Get(ref to, at), factor), ref to, at);
    }

    public override void Solve(Span<byte> x, Span<byte> y, Factor a, Factor b)
    {
        Check(x, y.Length);
        ref var toX = ref MemoryMarshal.GetReference(x);
        ref var toY = ref MemoryMarshal.GetReference(y);
        for (var at = 0; at < x.Length; at += TLanes.Width)
        {
            var (oldX, oldY) = (Get(ref toX, at), Get(ref toY, at));
            var newX = TLanes.Add(TLanes.Multiply(oldX, a), TLanes.Multiply(oldY, b));
            Put(newX, ref toX, at);
            Put(TLanes.Add(oldX, newX), ref toY, at);
        }
    }

    static TLanes Get(ref byte start, int at) => TLanes.Load(in Unsafe.Add(ref start, at));

    static void Put(TLanes value, ref byte start, int at) => TLanes.Store(value, ref Unsafe.Add(ref start, at));

    // What the loops rely on: they do not look at bounds.
    static void Check(ReadOnlySpan<byte> target, params ReadOnlySpan<int> lengths)
    {
        Invariant.Require(target.Length % Multiple == 0);
        foreach (var length in lengths) Invariant.Require(length == target.Length);
    }
}
