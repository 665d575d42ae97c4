"""An incremental solver of one-way constraints (the idea of Freeman-Benson, Maloney and Borning), written anew.

Each constraint has a strength and methods that compute one of its variables from the others. A new constraint may take a
variable from a weaker one, which then looks for another way. A plan is the order of executing what is satisfied.
"""

REQUIRED, STRONG, NORMAL, WEAK, WEAKEST = range(5)


class Variable:
    def __init__(self, name, value=0):
        self.name = name
        self.value = value
        self.users = []
        self.determined_by = None
        self.strength = WEAKEST
        self.mark = 0

    def attach(self, constraint):
        self.users.append(constraint)

    def detach(self, constraint):
        self.users.remove(constraint)
        if self.determined_by is constraint:
            self.determined_by = None


class Constraint:
    def __init__(self, strength, variables):
        self.strength = strength
        self.variables = variables
        self.output = None
        for variable in variables:
            variable.attach(self)

    def is_satisfied(self):
        return self.output is not None

    def candidates(self):
        return self.variables

    def inputs(self):
        return [variable for variable in self.variables if variable is not self.output]

    def choose(self, mark):
        """The variable to compute: the one that the weakest strength holds, and not one already fixed by this change."""
        best = None
        for variable in self.candidates():
            if variable.mark != mark and (best is None or variable.strength > best.strength):
                best = variable
        self.output = best if best is not None and best.strength > self.strength else None

    def satisfy(self, solver, mark):
        self.choose(mark)
        if not self.is_satisfied():
            if self.strength == REQUIRED:
                raise ValueError("a required constraint cannot be satisfied")
            return None
        for variable in self.inputs():
            variable.mark = mark
        loser = self.output.determined_by
        if loser is not None:
            loser.output = None
        self.output.determined_by = self
        solver.propagate(self, mark)
        self.output.mark = mark
        return loser

    def recalculate(self):
        weakest = self.strength
        for variable in self.candidates():
            if variable is not self.output:
                weakest = max(weakest, variable.strength)
        self.output.strength = weakest
        self.execute()

    def is_source(self):
        return False

    def execute(self):
        raise NotImplementedError


class Stay(Constraint):
    def __init__(self, strength, variable):
        super().__init__(strength, [variable])

    def execute(self):
        pass


class Edit(Stay):
    def is_source(self):
        return True


class Equal(Constraint):
    def execute(self):
        one, other = self.variables
        if self.output is other:
            other.value = one.value
        else:
            one.value = other.value


class Scale(Constraint):
    """destination = source * factor + offset; factor and offset are never computed."""

    def candidates(self):
        return self.variables[:2]

    def execute(self):
        source, destination, factor, offset = self.variables
        if self.output is destination:
            destination.value = source.value * factor.value + offset.value
        else:
            source.value = (destination.value - offset.value) // factor.value


class Solver:
    def __init__(self):
        self.last_mark = 0

    def new_mark(self):
        self.last_mark += 1
        return self.last_mark

    def add(self, constraint):
        mark = self.new_mark()
        loser = constraint.satisfy(self, mark)
        while loser is not None:
            loser = loser.satisfy(self, mark)
        return constraint

    def remove(self, constraint):
        freed = constraint.output
        constraint.output = None
        for variable in constraint.variables:
            variable.detach(constraint)
        if freed is None:
            return
        freed.strength = WEAKEST
        unsatisfied = self.downstream_losers(freed)
        for other in sorted(unsatisfied, key=lambda item: item.strength):
            self.add(other)

    def downstream_losers(self, start):
        unsatisfied, todo = [], [start]
        while todo:
            variable = todo.pop()
            for constraint in variable.users:
                if not constraint.is_satisfied():
                    unsatisfied.append(constraint)
                elif constraint.output is not variable:
                    constraint.recalculate()
                    todo.append(constraint.output)
        return unsatisfied

    def propagate(self, constraint, mark):
        todo = [constraint]
        while todo:
            current = todo.pop()
            if current.output.mark == mark:
                raise ValueError("a cycle of constraints")
            current.recalculate()
            todo.extend(self.consumers(current.output))

    @staticmethod
    def consumers(variable):
        return [user for user in variable.users if user.is_satisfied() and user.output is not variable]

    def plan(self, sources):
        order, todo = [], [source for source in sources if source.is_source() and source.is_satisfied()]
        while todo:
            current = todo.pop()
            order.append(current)
            todo.extend(self.consumers(current.output))
        return order


def change(solver, variable, values):
    edit = solver.add(Edit(STRONG, variable))
    plan = solver.plan([edit])
    for value in values:
        variable.value = value
        for constraint in plan:
            constraint.execute()
    solver.remove(edit)


def chain(length):
    solver = Solver()
    variables = [Variable("v%d" % number) for number in range(length)]
    for one, other in zip(variables, variables[1:]):
        solver.add(Equal(REQUIRED, [one, other]))
    solver.add(Stay(WEAK, variables[-1]))
    change(solver, variables[0], range(20))
    if any(variable.value != 19 for variable in variables):
        raise ValueError("the chain does not hold")
    return variables[-1].value


def projection(count):
    solver = Solver()
    factor, offset = Variable("factor", 10), Variable("offset", 1000)
    sources = [Variable("s%d" % number, number) for number in range(count)]
    results = [Variable("d%d" % number) for number in range(count)]
    for source, result in zip(sources, results):
        solver.add(Stay(NORMAL, source))
        solver.add(Scale(REQUIRED, [source, result, factor, offset]))
    change(solver, sources[0], [17])
    if results[0].value != 1170:
        raise ValueError("forwards: %d" % results[0].value)
    change(solver, results[1], [1050])
    if sources[1].value != 5:
        raise ValueError("backwards: %d" % sources[1].value)
    change(solver, factor, [5])
    if [result.value for result in results] != [source.value * 5 + 1000 for source in sources]:
        raise ValueError("the factor")
    return sum(result.value for result in results)


def deltablue(loops):
    return sum(chain(40) + projection(40) for _ in range(loops))
