using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using static ChemScale.Tests.Native.NativeTypes;

namespace ChemScale.Tests.Native;

/// <summary>
/// Follows addresses of native memory through the code of an assembly, from the objects that they were read from to the calls and the reads
/// that use them, and finds methods where such an object is not kept alive after the use on every way to a return. It knows nothing of how
/// the code was made to keep them.
/// </summary>
internal sealed class LifetimeAudit
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    // What hands out what it holds: who keeps the holder keeps the item.
    private static readonly HashSet<string> Accessors = ["get_Item", "get_Current", "get_Value", "get_Array", "AsSpan", "op_Implicit", "op_Explicit", "Get"];

    private readonly MethodBase method;
    private readonly MethodCode code;
    private readonly Dictionary<int, ImmutableHashSet<int>> holders = [];
    private readonly Dictionary<int, Type> kinds = [];
    private readonly Dictionary<int, State> states = [];
    private readonly Queue<int> queue = new();
    private readonly SortedSet<string> faults = new(StringComparer.Ordinal);

    private LifetimeAudit(MethodBase method, MethodBody body)
    {
        this.method = method;
        code = new MethodCode(method, body);
    }

    /// <summary>Methods that use native memory of objects which may be gone by then, each with what is wrong there.</summary>
    /// <param name="assembly">Only looked at, never run.</param>
    /// <param name="looked">How many methods use native memory at all.</param>
    public static List<string> Find(Assembly assembly, out int looked)
    {
        looked = 0;
        List<string> found = [];
        foreach (Type type in assembly.GetTypes())
        {
            foreach (MethodBase method in type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)))
            {
                // What a record gives away of itself is looked at where it is made and used.
                if (method.Name == "Deconstruct" && method.IsDefined(typeof(CompilerGeneratedAttribute), false)) continue;
                if (method.GetMethodBody() is not { } body) continue;
                var audit = new LifetimeAudit(method, body);
                if (!audit.code.Steps.Any(audit.UsesNative)) continue;
                looked++;
                audit.Follow();
                if (audit.faults.Count > 0) found.Add($"{type.FullName}.{method.Name}: {string.Join("; ", audit.faults)}");
            }
        }
        return found;
    }

    /// <param name="Ids">Which objects it may be: negative for arguments, else where in the code it was made or read.</param>
    /// <param name="Owners">The objects that own the memory it points to.</param>
    /// <param name="Place">The local whose address it is; -1: none.</param>
    private sealed record Value(ImmutableHashSet<int> Ids, ImmutableHashSet<int> Owners, int Place = -1)
    {
        public static readonly Value Nothing = new([], []);

        public Value Or(Value other) => other.Ids.IsSubsetOf(Ids) && other.Owners.IsSubsetOf(Owners) ? this : new(Ids.Union(other.Ids), Owners.Union(other.Owners));
    }

    // Pending: objects used by native code and not kept since.
    private sealed record State(ImmutableArray<Value> Stack, ImmutableArray<Value> Locals, ImmutableArray<Value> Arguments, ImmutableHashSet<int> Pending)
    {
        public State Or(State other)
        {
            ImmutableArray<Value> stack = Join(Stack, other.Stack), locals = Join(Locals, other.Locals), arguments = Join(Arguments, other.Arguments);
            bool same = stack == Stack && locals == Locals && arguments == Arguments && other.Pending.IsSubsetOf(Pending);
            return same ? this : new(stack, locals, arguments, Pending.Union(other.Pending));
        }

        private static ImmutableArray<Value> Join(ImmutableArray<Value> one, ImmutableArray<Value> other)
        {
            if (one.Length != other.Length) throw new InvalidOperationException("stacks of different heights meet");
            Value[] joined = [.. one.Zip(other, (a, b) => a.Or(b))];
            return joined.AsSpan().SequenceEqual(one.AsSpan()) ? one : [.. joined];
        }
    }

    private bool UsesNative(Step step) => step.Code == OpCodes.Calli || step.Member switch
    {
        MethodInfo called => IsNative(called) || IsAddress(called.ReturnType),
        FieldInfo field => IsAddress(field.FieldType),
        _ => false,
    };

    private void Follow()
    {
        int arguments = method.GetParameters().Length + (method.IsStatic ? 0 : 1);
        for (int a = 0; a < arguments; a++) kinds[-1 - a] = ArgumentType(a);
        Value[] given = [.. Enumerable.Range(0, arguments).Select(a => new Value(HoldsNothing(ArgumentType(a)) ? [] : [-1 - a], []))];
        Reach(0, new State([], [.. code.Body.LocalVariables.Select(_ => Value.Nothing)], [.. given], []));
        while (queue.TryDequeue(out int at)) Run(code[at], states[at]);
    }

    private Type ArgumentType(int index) =>
        method.IsStatic ? method.GetParameters()[index].ParameterType : index == 0 ? method.DeclaringType! : method.GetParameters()[index - 1].ParameterType;

    private void Reach(int at, State state)
    {
        State joined = states.TryGetValue(at, out State? before) ? before.Or(state) : state;
        if (ReferenceEquals(joined, before)) return;
        states[at] = joined;
        queue.Enqueue(at);
        // An exception may come anywhere in a protected part.
        foreach (ExceptionHandlingClause clause in code.Body.ExceptionHandlingClauses)
        {
            if (at < clause.TryOffset || at >= clause.TryOffset + clause.TryLength) continue;
            bool caught = clause.Flags is ExceptionHandlingClauseOptions.Clause or ExceptionHandlingClauseOptions.Filter;
            // What leaves by an exception does not return: finally blocks matter on the other ways.
            if (caught) Reach(clause.HandlerOffset, joined with { Stack = [Value.Nothing] });
            if (clause.Flags == ExceptionHandlingClauseOptions.Filter) Reach(clause.FilterOffset, joined with { Stack = [Value.Nothing] });
        }
    }

    private void Run(Step step, State state)
    {
        var stack = new Stack<Value>(state.Stack);
        Value Pop() => stack.Pop();
        Value[] Take(int count)
        {
            var taken = new Value[count];
            for (int i = count - 1; i >= 0; i--) taken[i] = stack.Pop();
            return taken;
        }

        string name = step.Code.Name!;
        State next = state;
        if (name.StartsWith("ldarg", StringComparison.Ordinal))
        {
            stack.Push(state.Arguments[step.Index("ldarg.")]);
        }
        else if (name.StartsWith("starg", StringComparison.Ordinal))
        {
            next = next with { Arguments = state.Arguments.SetItem((int)step.Number, Pop()) };
        }
        else if (name.StartsWith("ldloc", StringComparison.Ordinal))
        {
            int local = step.Index("ldloc.");
            stack.Push(name.StartsWith("ldloca", StringComparison.Ordinal) ? state.Locals[local] with { Place = local } : state.Locals[local]);
        }
        else if (name.StartsWith("stloc", StringComparison.Ordinal))
        {
            next = next with { Locals = state.Locals.SetItem(step.Index("stloc."), Pop()) };
        }
        else if (step.Code == OpCodes.Dup)
        {
            stack.Push(stack.Peek());
        }
        else if (step.Member is MethodBase called && (step.Code == OpCodes.Call || step.Code == OpCodes.Callvirt || step.Code == OpCodes.Newobj))
        {
            next = Call(step, called, next, Take(called.GetParameters().Length + (called.IsStatic || step.Code == OpCodes.Newobj ? 0 : 1)), stack);
        }
        else if (step.Code == OpCodes.Calli)
        {
            // The function's address lies on top of its arguments.
            next = Use(next, [.. Take((int)Math.Abs(step.Number)).SelectMany(v => v.Owners)]);
            if (step.Number < 0) stack.Push(Value.Nothing);
        }
        else if (step.Member is FieldInfo field)
        {
            next = Field(step, field, next, stack);
        }
        else if (step.Code == OpCodes.Ret)
        {
            Ended(state);
            return;
        }
        else if (step.Code == OpCodes.Throw || step.Code == OpCodes.Rethrow || step.Code == OpCodes.Endfilter)
        {
            return;
        }
        else if (step.Code == OpCodes.Endfinally)
        {
            // On to the next one out, if the way that leads through here passes it too.
            foreach (ExceptionHandlingClause clause in code.Body.ExceptionHandlingClauses.Where(c => step.At >= c.HandlerOffset && step.At < c.HandlerOffset + c.HandlerLength))
                foreach (Step leave in code.Leaves(clause)) Reach(code.After(leave, clause), state with { Stack = [] });
            return;
        }
        else if (step.Code == OpCodes.Leave || step.Code == OpCodes.Leave_S)
        {
            Reach(code.After(step, null), state with { Stack = [] });
            return;
        }
        else
        {
            next = Other(step, next, stack);
        }
        next = next with { Stack = [.. stack.Reverse()] };
        foreach (int target in step.Targets) Reach(target, next);
        if (step.Code.FlowControl is not FlowControl.Branch) Reach(step.Next, next);
    }

    private State Call(Step step, MethodBase called, State state, Value[] given, Stack<Value> stack)
    {
        if (called.Name == "KeepAlive" || (called.Name == "Dispose" && called.DeclaringType == typeof(TensorMemory)))
        {
            return state with { Pending = [.. state.Pending.Where(p => !Kept(p, given[0].Ids))] };
        }
        State next = state;
        bool native = IsNative(called);
        Type result = step.Code == OpCodes.Newobj ? called.DeclaringType! : called is MethodInfo { ReturnType: var type } ? type : typeof(void);
        ParameterInfo[] parameters = called.GetParameters();
        int receiver = given.Length - parameters.Length;
        // A structure made of an address only carries it on.
        bool made = called.IsConstructor && called.DeclaringType!.IsValueType && (step.Code == OpCodes.Newobj || given[0].Place >= 0);
        for (int i = 0; i < given.Length; i++)
        {
            // Native code uses what it gets; so may a method that takes an address.
            if (native || (i >= receiver && !made && IsAddress(parameters[i - receiver].ParameterType))) next = Use(next, given[i].Owners);
        }
        if (called.IsConstructor && given.Length > receiver && receiver > 0 && given[0].Place >= 0)
        {
            // A structure made in its place.
            Value structure = New(step, [.. given[1..].SelectMany(v => v.Ids)], called.DeclaringType) with { Owners = [.. given[1..].SelectMany(v => v.Owners)] };
            return next with { Locals = next.Locals.SetItem(given[0].Place, IsAddress(called.DeclaringType!) ? structure with { Ids = [] } : structure) };
        }
        if (result == typeof(void)) return next;
        if (native)
        {
            stack.Push(IsPlain(result) ? Value.Nothing : New(step, [], result));
            return next;
        }
        ImmutableHashSet<int> owners = [.. given.SelectMany(v => v.Owners)], all = [.. given.SelectMany(v => v.Ids)];
        if (!IsAddress(result))
        {
            bool holds = made || Accessors.Contains(called.Name) || result.IsByRef;
            stack.Push(IsPlain(result) ? Value.Nothing : New(step, holds ? all : [], result) with { Owners = made ? owners : [] });
            return next;
        }
        if (step.Code != OpCodes.Newobj)
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                // Elements that a query makes while it is read belong to nobody.
                if (IsSequence(parameters[i].ParameterType) && given[i + receiver].Ids.Any(id => !IsCollection(id)) && !IsAddress(ReturnType))
                    faults.Add($"addresses of a sequence's elements, IL_{step.At:x4}");
            }
            // A span of an array holds it; one that a tensor gives is of its native memory.
            bool fromObject = called.DeclaringType == typeof(TensorMemory) || called.DeclaringType!.FullName?.StartsWith("TorchSharp.", StringComparison.Ordinal) == true;
            bool pointer = called.Name == nameof(Marshal.GetFunctionPointerForDelegate);
            // Nobody frees what this gives.
            bool freed = called.Name == "DecoupleFromNativeHandle";
            if ((!IsSpan(result) || fromObject) && !freed) owners = owners.Union(pointer ? all : Owning(all));
        }
        stack.Push(result.IsValueType || result.IsPointer ? new Value([], owners) : New(step, [], result) with { Owners = owners });
        return next;
    }

    private State Field(Step step, FieldInfo field, State state, Stack<Value> stack)
    {
        bool address = IsAddress(field.FieldType);
        switch (step.Code.Name)
        {
            case "ldsfld" or "ldsflda":
                stack.Push(Value.Nothing);
                break;
            case "stsfld":
                stack.Pop();
                break;
            case "stfld":
                // Whoever reads the field uses the address.
                Value stored = stack.Pop();
                ImmutableHashSet<int> into = stack.Pop().Ids;
                return Use(state, [.. stored.Owners.Where(o => !Kept(o, into))]);
            case "ldfld" or "ldflda":
                Value from = stack.Pop();
                if (IsPlain(field.FieldType) && !address) stack.Push(Value.Nothing);
                // A field of a structure is where the structure is.
                else if (field.DeclaringType!.IsValueType) stack.Push(address ? from : New(step, from.Ids, field.FieldType));
                // A closure's are kept by the method that put them there.
                else if (address) stack.Push(New(step, from.Ids, field.FieldType) with { Owners = IsClosure(field.DeclaringType) ? [] : Owning(from.Ids).Union(from.Owners) });
                else stack.Push(New(step, from.Ids, field.FieldType));
                break;
            default:
                stack.Push(Value.Nothing);
                break;
        }
        return state;
    }

    private State Other(Step step, State state, Stack<Value> stack)
    {
        string name = step.Code.Name!;
        State next = state;
        int pops = step.Code.StackBehaviourPop switch
        {
            StackBehaviour.Pop0 => 0,
            StackBehaviour.Pop1 or StackBehaviour.Popi or StackBehaviour.Popref => 1,
            StackBehaviour.Pop1_pop1 or StackBehaviour.Popi_pop1 or StackBehaviour.Popi_popi or StackBehaviour.Popi_popi8 or StackBehaviour.Popi_popr4
                or StackBehaviour.Popi_popr8 or StackBehaviour.Popref_pop1 or StackBehaviour.Popref_popi => 2,
            StackBehaviour.Varpop => throw new NotSupportedException(name),
            _ => 3,
        };
        Value[] taken = new Value[pops];
        for (int i = pops - 1; i >= 0; i--) taken[i] = stack.Pop();
        bool dereference = name.StartsWith("ldind", StringComparison.Ordinal) || name.StartsWith("stind", StringComparison.Ordinal)
            || name is "ldobj" or "stobj" or "cpobj" or "cpblk" or "initblk" or "initobj";
        if (dereference) next = Use(next, [.. taken.SelectMany(v => v.Owners)]);
        // Addresses gathered in an array: of each element that went before too.
        if (name.StartsWith("stelem", StringComparison.Ordinal) && taken[2].Owners.Count > 0)
        {
            foreach (int owner in taken[2].Owners.Where(o => o >= 0 && !holders.GetValueOrDefault(o, []).Any()))
                faults.Add($"addresses gathered from an object made at IL_{owner:x4}");
            foreach (int array in taken[0].Ids)
                holders[array] = holders.GetValueOrDefault(array, []);
        }
        if (step.Code.StackBehaviourPush == StackBehaviour.Push0) return next;
        Value result = Value.Nothing;
        if (name is "ldind.ref" or "ldelem.ref" or "ldobj" or "ldelem" or "ldelema")
        {
            Type? type = name == "ldelem.ref" ? ElementType(taken[0].Ids) : step.Type;
            result = New(step, taken[0].Ids, type) with { Owners = name == "ldelema" ? taken[0].Owners : [] };
        }
        else if (name is "castclass" or "isinst" or "unbox" or "unbox.any" or "box")
        {
            result = taken[0];
        }
        else if (name is "newarr")
        {
            result = New(step, [], step.Type?.MakeArrayType());
        }
        else if (name is "add" or "sub" or "conv.u" or "conv.i" or "conv.i8" or "conv.u8" or "mul")
        {
            result = new Value([], [.. taken.SelectMany(v => v.Owners)]);
        }
        stack.Push(result);
        return next;
    }

    private State Use(State state, ImmutableHashSet<int> owners) => owners.IsEmpty ? state : state with { Pending = state.Pending.Union(owners) };

    private void Ended(State state)
    {
        foreach (int owner in state.Pending) faults.Add(owner < 0 ? $"argument {-1 - owner}" : $"object made at IL_{owner:x4}");
    }

    // type: null where it is not known.
    private Value New(Step step, ImmutableHashSet<int> from, Type? type)
    {
        kinds[step.At] = type ?? typeof(object);
        ImmutableHashSet<int> known = holders.GetValueOrDefault(step.At, []);
        holders[step.At] = known.Union(from.Remove(step.At));
        return new Value([step.At], []);
    }

    /// <summary>What arrays hold, where all of them are known to hold the same; else null.</summary>
    private Type? ElementType(ImmutableHashSet<int> arrays)
    {
        Type?[] types = [.. arrays.Select(id => kinds.TryGetValue(id, out Type? kind) && kind.IsArray ? kind.GetElementType() : null).Distinct()];
        return types is [var only] ? only : null;
    }

    /// <summary>Those of them whose end may free memory.</summary>
    private ImmutableHashSet<int> Owning(ImmutableHashSet<int> ids) =>
        method.Module.Assembly.GetName().Name == "TorchSharp" ? ids : [.. ids.Where(id => !kinds.TryGetValue(id, out Type? type) || Frees(type))];

    /// <summary>Whether an object is kept by keeping others: it is one of them, or they hold it.</summary>
    private bool Kept(int id, ImmutableHashSet<int> kept) => Chain(id, []).Overlaps(kept);

    private HashSet<int> Chain(int id, HashSet<int> seen)
    {
        if (seen.Add(id))
            foreach (int holder in holders.GetValueOrDefault(id, [])) Chain(holder, seen);
        return seen;
    }

    private bool IsCollection(int id) => id >= 0
        && code[id].Member is MethodInfo { ReturnType: { IsArray: true } or { Name: "List`1" } } or MethodInfo { Name: "ToArray" or "ToList" };

    private Type ReturnType => method is MethodInfo { ReturnType: var type } ? type : typeof(void);
}
